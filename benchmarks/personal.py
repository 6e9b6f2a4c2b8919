"""How much personal data the guard ``personal`` finds, and how much it finds that is none.

The sentences are made up, in English, German, French and Chinese; what is to be found stands in braces with its kind.
They were written before the expressions were tried on them, by the same person; since then letters with accents were
added to addresses, numbers left out whose digits are nearly all alike, and one kind chosen where two fit. They say
where it is weak, and are no sample of anybody's texts. Numbers are from documentations, or made with their checksum.

    python benchmarks/personal.py
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lighten.guards.personal import KINDS, Personal

SENTENCES = """
Please write to {email:ann.miller@example.org} before Friday.
Meine Adresse ist {email:j.schulz-hoff@uni-beispiel.example.de}, danke!
Contact: {email:O'Brien+news@mail.example.co.uk}; no attachments.
<{email:first_last99@sub.domain.example.com}> wrote:
我的邮箱是{email:wang.fang@example.cn}，请回复。
CC {email:a@b.co}, {email:team%ops@example.io} and {email:x_y@xn--bcher-kva.example}.
Écris-moi à {email:zoé@example.fr} ou {email:jean@exämple.fr}.
ann (at) example (dot) org is how I write it: {email:ann (at) example (dot) org}
The handle @ann and the decorator @dataclass are no addresses.
pip install foo@1.2.3 or git@github, user@localhost
Ratio 3@4.50 and a@ b.com
Call me at {phone:+1 212 555 0199} after six.
My number: {phone:(415) 555-2671}. Thanks.
Ring {phone:415-555-2671} or {phone:415.555.2671}, extension 12.
Tel.: {phone:030 1234567} oder {phone:0171/2345678}
Rufen Sie {phone:+49 (0)89 12 34 56-78} an.
Mein Handy: {phone:0151 23456789}, Büro {phone:089/1234 567}.
Appelez le {phone:01 42 68 53 00} ou le {phone:06.12.34.56.78}.
Mobile français: {phone:+33 6 12 34 56 78}.
请拨打{phone:13912345678}或者{phone:010-62345678}。
手机号：{phone:138 1234 5678}，微信同号
联系电话{phone:+86 138-1234-5678}
UK office {phone:+44 20 7946 0958}, switchboard {phone:020 7946 0958}
WhatsApp {phone:+5511987654321} only
Emergency: dial 112 or 911.
Invoice 2024-0815-4711 of 12/05/2024 over 1,234.56 EUR
Order 302-5550199-22 shipped on 2024-03-15 at 10:45.
It weighs 415 555 grams and has 2671 parts.
ISBN 978-3-16-148410-0 and ISSN 2049-3630
Room 030 123, shelf 45 67
Version 10.4.2024, build 1234567890
The years 1914-1918 and 1939-1945 are covered.
Article no. 0171 2345
Pay to {iban:DE89 3704 0044 0532 0130 00} please.
IBAN {iban:GB29NWBK60161331926819} (BIC NWBKGB2L)
Mon compte: {iban:FR14 2004 1010 0505 0001 3M02 606}
Konto {iban:AT611904300234573201}, {iban:CH93 0076 2011 6238 5295 7}
iban: {iban:nl91abna0417164300}
Banco {iban:ES91-2100-0418-4502-0005-1332}.
IBAN DE89 3704 0044 0532 0130 01 is mistyped.
The code AB12 CDEF 3456 GHIJ 7890 opens it.
Serial GB29 2024 1111 2222 3333 44 on the back
Licence key DE12-ABCD-EFGH-IJKL-MNOP-QRST
Card {card:4111 1111 1111 1111}, expires 12/27.
My visa is {card:4242424242424242}
Amex {card:3782 822463 10005} or {card:371449635398431}
Mastercard: {card:5555-5555-5555-4444}; CVC 123
卡号{card:6222 0200 0000 0007}，请查收
Kreditkarte {card:5105105105105100}.
Maestro {card:6759 6498 2643 8453} or Discover {card:6011 1111 1111 1117}
4111 1111 1111 1112 has a typo.
Tracking 9400 1000 0000 0000 0000 00
The number 1234 5678 9012 3456 is an example.
0000 0000 0000 0000 is all zeros.
The hash 4539578763621486ab is hex.
Timestamp 1700000000000 and id 5000000000000
GTIN 4006381333931 on the box
From {ip:192.168.17.3} to {ip:8.8.8.8}:53
Host {ip:10.0.0.255}/24 is down
connect to {ip:2001:db8:85a3::8a2e:370:7334} now
peer {ip:fe80::1%eth0} and {ip:::1}
[{ip:2001:db8::ff00:42:8329}]:443
mapped {ip:::ffff:192.0.2.128} address
Release 1.2.3.4 of the driver came out.
Section 3.1.4.1 says so
At 12:30:45 and 00:00, ratio 16:9
MAC 00:1A:2B:3C:4D:5E, uuid 123e4567-e89b-12d3-a456-426614174000
std::vector and a::b in C++
999.999.999.999 is none, 256.1.1.1 neither
身份证号{chinese_id:11010519491231002X}，姓名张三
ID {chinese_id:440524188001010014} was checked.
身份证：{chinese_id:310104198501010013}。
持卡人{chinese_id:510108197205052137}本人
证件号110105194912310021是错的
订单号202403151234567890已发货
Order 110105194913310025 has a month 13
Nothing personal in this sentence at all.
Der Preis stieg von 1.234,56 auf 2.345,67 Euro.
Es waren 12 345 678 Besucher im Jahr 2023.
Il a 3 enfants et 2 chats, depuis 2010.
今天是2024年3月15日，气温25度。
坐标39.9042, 116.4074附近
Flight LH 1234 leaves gate B12 at 07:15.
The score was 21-19, 18-21, 22-20.
GPU utilisation 99.7 %, 8192 MiB of 16384 MiB
See RFC 2822 section 3.4.1 and ISO 13616-1:2020.
"""
MARKED = re.compile(r"\{(\w+):((?:[^{}])*)\}")


def parsed(line: str) -> tuple[str, set[tuple[str, int, int]]]:
    """The sentence of a line, and what is to be found: kind, begin and end."""
    text, found, place = "", set(), 0
    for mark in MARKED.finditer(line):
        text += line[place : mark.start()]
        found.add((mark[1], len(text), len(text) + len(mark[2])))
        text += mark[2]
        place = mark.end()
    return text + line[place:], found


def main() -> None:
    """Print both shares of every kind. Found is what is covered whole; wrong is what overlaps nothing of its kind."""
    finder = Personal(action="redact", on=("logs",)).finder(Path())
    right, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    for line in SENTENCES.strip().splitlines():
        text, wanted = parsed(line)
        found = {(one.instead.strip("[]"), one.begin, one.end) for one in finder.spans(text)}
        for kind, begin, end in wanted:
            whole = any(name == kind and a <= begin and end <= b for name, a, b in found)
            (right if whole else missed)[kind] += 1
            if not whole:
                print(f"missed {kind}: {text[begin:end]!r} in {text!r}")
        for kind, begin, end in found:
            if not any(name == kind and a < end and begin < b for name, a, b in wanted):
                wrong[kind] += 1
                print(f"wrong  {kind}: {text[begin:end]!r} in {text!r}")
    print(f"\n{'kind':12} {'there':>6} {'found':>6} {'wrong':>6}  recall  precision")
    for kind in (*KINDS, "all"):
        kinds = [kind] if kind in KINDS else list(KINDS)
        hit, gone, false = (sum(one[k] for k in kinds) for one in (right, missed, wrong))
        print(f"{kind:12} {hit + gone:6} {hit:6} {false:6}  {hit / (hit + gone):6.0%}  {hit / (hit + false):9.0%}")


if __name__ == "__main__":
    main()
