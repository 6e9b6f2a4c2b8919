// Numbers as people read them: three digits, the unit beside them.
import { lang } from "./say.js";

const plain = (value, digits) =>
  value.toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const count = (value) => value.toLocaleString(lang);
export const amount = (value) => plain(value, value === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2);
export const share = (value, digits = 1) => `${plain(value * 100, digits)}%`;
export const seconds = (value) =>
  value < 0.9995 ? `${amount(value * 1e3)}\u00a0ms` : `${amount(value)}\u00a0s`;
export const bytes = (value) => {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let place = 0;
  while (value >= 999.5 && place < units.length - 1) { value /= 1000; place += 1; }
  return `${place ? amount(value) : value}\u00a0${units[place]}`;
};
export const moment = (stamp) => new Date(stamp).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });
