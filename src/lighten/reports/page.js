"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const html = document.documentElement;

  // Language: from the hash, the query, or the browser; the choice is kept in the hash.
  const named = (text) => (/\b(zh|en)\b/.exec(text) || [])[1];
  const speak = (lang) => {
    html.lang = lang;
    all("[data-lang]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.lang === lang)));
    all("[data-label-en]").forEach((e) => e.setAttribute("aria-label", e.dataset[lang === "zh" ? "labelZh" : "labelEn"]));
    all("[data-hint-en]").forEach((e) => { e.placeholder = e.dataset[lang === "zh" ? "hintZh" : "hintEn"]; });
    document.title = html.dataset[lang === "zh" ? "titleZh" : "titleEn"];
  };
  const asked = () => named(location.hash) || named(location.search) || (/^zh/i.test(navigator.language) ? "zh" : "en");
  all("[data-lang]").forEach((b) => b.addEventListener("click", () => location.replace("#" + b.dataset.lang)));
  addEventListener("hashchange", () => speak(asked()));
  speak(asked());
  all(".toc a").forEach((a) => a.addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector(a.getAttribute("href")).scrollIntoView({ behavior: "smooth" });
  }));

  // The table: sorting and filtering.
  const table = document.querySelector(".candidates");
  const rows = table ? all("tbody tr", table) : [];
  const input = document.querySelector("#filter");
  let group = "all";
  const sift = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row) => {
      const text = row.dataset.text.toLowerCase();
      row.hidden = !(group === "all" || row.dataset.status === group) || !words.every((w) => text.includes(w));
      shown += row.hidden ? 0 : 1;
    });
    document.querySelector("#shown").textContent = String(shown);
  };
  if (input) {
    input.addEventListener("input", sift);
    all(".chips button").forEach((chip) => chip.addEventListener("click", () => {
      group = chip.dataset.status;
      all(".chips button").forEach((c) => c.setAttribute("aria-pressed", String(c === chip)));
      sift();
    }));
  }
  const heads = table ? all("thead th", table) : [];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    heads.forEach((h) => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.children[column].dataset.value;
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "" ? 1 : 0) - (y === "" ? 1 : 0);
      return sign * (head.dataset.kind === "text" ? x.localeCompare(y) : Number(x) - Number(y));
    });
    rows.forEach((row) => row.parentNode.append(row));
  }));

  // The figure: tooltips, and marks that find their row.
  const plot = document.querySelector(".plot");
  const hide = () => all(".tip").forEach((t) => { t.hidden = true; });
  const show = (point) => {
    hide();
    const tip = document.getElementById("tip-" + point.dataset.key);
    if (!tip) return;
    tip.hidden = false;
    const frame = plot.getBoundingClientRect();
    const mark = point.querySelector(".hit").getBoundingClientRect();
    const left = mark.left - frame.left + mark.width / 2 - tip.offsetWidth / 2;
    tip.style.left = Math.max(4, Math.min(left, frame.width - tip.offsetWidth - 4)) + "px";
    const above = mark.top - frame.top - tip.offsetHeight - 8;
    tip.style.top = (above + frame.top > 44 ? above : mark.bottom - frame.top + 8) + "px";
  };
  const choose = (key) => {
    all(".chosen").forEach((e) => e.classList.remove("chosen"));
    all('.point[data-key="' + key + '"]').forEach((p) => p.classList.add("chosen"));
    const row = document.getElementById("row-" + key);
    if (row) row.classList.add("chosen");
    return row;
  };
  const jump = (point) => {
    const row = choose(point.dataset.key);
    if (!row) return;
    if (row.hidden) { input.value = ""; document.querySelector('.chips [data-status="all"]').click(); }
    row.scrollIntoView({ behavior: "smooth", block: "center" });
    row.focus({ preventScroll: true });
  };
  all(".point").forEach((point) => {
    point.addEventListener("mouseenter", () => show(point));
    point.addEventListener("mouseleave", hide);
    point.addEventListener("focus", () => show(point));
    point.addEventListener("blur", hide);
    point.addEventListener("click", () => jump(point));
    point.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); jump(point); }
      if (event.key === "Escape") hide();
    });
  });
  rows.forEach((row) => row.addEventListener("click", () => choose(row.dataset.key)));

  // Copying.
  all(".copy").forEach((button) => button.addEventListener("click", () => {
    const source = document.getElementById(button.dataset.copy);
    const done = () => {
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1600);
    };
    const select = () => {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (document.execCommand("copy")) done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(done, select); else select();
  }));
})();
