"""Credentials leave the input before anything else is made of it: names stay, values become an ellipsis.

Models: flags such as --password=x and -p x of known names, NAME=value words whose name says that it is a secret, the
user part of URLs, the Authorization words of HTTP, and the forms in which well-known services issue keys. Leaves out: a
credential that looks like any other word (`redis-server hunter2`); a flag of its own file (`--keep-values` aside)
cannot be told from it. Sources: OWASP Secrets Management; the published prefixes of GitHub, GitLab, Slack, AWS, Stripe,
npm and PyPI tokens; RFC 3986 section 3.2.1; RFC 7519 for tokens that begin with `eyJ`.
"""

from __future__ import annotations

import re
from typing import TypeVar

ELLIPSIS = "…"
WORDS = r"""pass(?:wd|word|phrase|code)?s?|pwd|secrets?|tokens?|credentials?|creds?|api[-_.]?keys?|apikeys?
access[-_.]?keys?|private[-_.]?keys?|auth(?:[-_.]?(?:key|token|code))?|bearer|signing[-_.]?keys?|encryption[-_.]?keys?
master[-_.]?keys?|license[-_.]?keys?|session[-_.]?keys?|client[-_.]?secret|salt|dsn|cookie|webhook(?:[-_.]?url)?
account[-_.]?keys?|storage[-_.]?keys?|shared[-_.]?keys?|seed[-_.]?phrase|otp|pin|jwt|pat|sas|requirepass|masterauth
psk|connection[-_.]?string|conn[-_.]?str"""
SECRET = "|".join(WORDS.split("\n"))
NAME = rf"[A-Za-z0-9_.\-]*(?<![A-Za-z])(?:{SECRET})(?![A-Za-z])[A-Za-z0-9_.\-]*"
CAMEL = (
    r"[A-Za-z0-9_.\-]*[a-z0-9](?:Password|Passwd|Secret|Token|ApiKey|AccessKey|PrivateKey|Credentials?)[A-Za-z0-9_.\-]*"
)
JOINED = (
    r"[A-Za-z0-9_.\-]*(?:password|passwd|passphrase|secretkey|secret|apikey|token|accesskey|privatekey|credential)s?"
)
NAMED = rf"(?:{NAME}|{CAMEL}|{JOINED})"

VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|[^\s\"';&|,)\]}]+(?:\\ [^\s\"';&|,)\]}]+)*)"
PAIR = re.compile(
    rf"(?P<name>(?<![A-Za-z0-9_.\-])-{{0,2}}{NAMED}[\"']?\s?(?:[:=]|=>)\s?)(?P<value>{VALUE})", re.IGNORECASE
)
FLAG = re.compile(rf"(?P<name>(?<!\S)--?{NAMED})(?P<gap>\s+)(?P<value>(?!-){VALUE})", re.IGNORECASE)
SHORT = re.compile(r"(?P<name>\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^|;&]*?\s-p)(?P<value>[^\s-]\S*)")
USER = re.compile(
    r"(?P<name>\b(?:curl|wget|http|https|ldapsearch|sshpass|smbclient|redis-cli|mongo|mongosh)\b[^|;&]*?"
    r"\s(?:-u|-U|-w|-a|-p|--user|--proxy-user)(?:\s+|=)?)(?P<value>[^\s-]\S*)"
)
URL = re.compile(r"(?P<name>\b[A-Za-z][A-Za-z0-9+.\-]*://)(?P<value>[^\s/@'\"?#]*(?::[^\s@'\"?#]*)?)@")
QUERY = re.compile(
    rf"(?P<name>[?&;](?:{NAMED}|sig|signature|key|X-Amz-[A-Za-z]+)=)(?P<value>[^\s&;'\"]+)", re.IGNORECASE
)
HEADER = re.compile(
    r"(?P<name>\b(?:authorization|proxy-authorization|x-[a-z-]*(?:key|token|secret))\s*[:=]\s*(?:(?:basic|bearer|token|digest)\s+)?)"
    r"(?P<value>[^\s'\"]+)",
    re.IGNORECASE,
)
SCHEME = re.compile(r"(?P<name>\b(?:Bearer|Basic)\s+)(?P<value>[A-Za-z0-9+/=_.\-]{8,})")
FORMS = re.compile(
    r"""gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{10,}|xox[abpors]-[A-Za-z0-9\-]{8,}
    |xapp-[A-Za-z0-9\-]{8,}|\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,}|\b[srp]k_(?:live|test)_[A-Za-z0-9]{8,}
    |whsec_[A-Za-z0-9]{8,}|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_\-]{16,}|dckr_pat_[A-Za-z0-9_\-]{10,}
    |\bSG\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}|\bAIza[A-Za-z0-9_\-]{20,}|\bya29\.[A-Za-z0-9_\-]{10,}
    |\beyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]+){0,2}|\bhvs\.[A-Za-z0-9_\-]{10,}|\bSWMTKN-[A-Za-z0-9\-]{10,}
    |-----BEGIN[A-Z ]*PRIVATE[ ]KEY-----[^-]*(?:-----END[A-Z ]*PRIVATE[ ]KEY-----)?
    |\bage-secret-key-[a-z0-9]{10,}|https://hooks\.slack\.com/services/\S+|\bsk-[A-Za-z0-9_\-]{16,}""",
    re.VERBOSE | re.IGNORECASE,
)
GIVEN = re.compile(
    rf"(?P<name>(?<!\S)(?:-e|--env|--build-arg|-l|--label)(?:\s+|=)[\"']?[A-Za-z_][A-Za-z0-9_.\-]*=)(?P<value>{VALUE})"
)
VARIABLE = re.compile(rf"(?P<name>(?<![A-Za-z0-9_.\-/=:])[A-Z][A-Z0-9_]+=)(?P<value>{VALUE})")
T = TypeVar("T")
WHOLE_VALUE = re.compile(rf"-{{0,2}}{NAMED}\Z", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return *text* with every credential in it replaced by an ellipsis.

    >>> redacted("app --db-password=hunter2 --port 80")
    'app --db-password=… --port 80'
    >>> redacted("app --token s3cret postgres://u:p@db/x")
    'app --token … postgres://…@db/x'
    >>> redacted("nginx -g 'daemon off;' --tokenizer=fast -p 80")
    "nginx -g 'daemon off;' --tokenizer=fast -p 80"
    """
    text = URL.sub(rf"\g<name>{ELLIPSIS}@", FORMS.sub(ELLIPSIS, text))
    for pattern in (HEADER, SCHEME, QUERY, GIVEN, VARIABLE, PAIR, SHORT, USER):
        text = pattern.sub(rf"\g<name>{ELLIPSIS}", text)
    return FLAG.sub(rf"\g<name>\g<gap>{ELLIPSIS}", text)


def redacted_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command without credentials, also where a flag and its value are two words.

    >>> redacted_words(("app", "--password", "hunter2", "-v"))
    ('app', '--password', '…', '-v')
    """
    found: list[str] = []
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        if before.startswith("-") and "=" not in before and not word.startswith("-") and WHOLE_VALUE.match(before):
            found.append(ELLIPSIS)
        else:
            found.append(redacted(word))
    whole = redacted(" ".join(found)).split(" ")
    if len(whole) == sum(len(word.split(" ")) for word in found):  # words that only together tell of a secret
        sizes, place = [len(word.split(" ")) for word in found], 0
        for index, size in enumerate(sizes):
            found[index] = " ".join(whole[place : place + size])
            place += size
    return tuple(found)


def is_secret_name(name: str) -> bool:
    """Return whether a name says that its value is a credential.

    >>> is_secret_name("DB_PASSWORD"), is_secret_name("splunk-token"), is_secret_name("compass")
    (True, True, False)
    """
    return WHOLE_VALUE.match(name) is not None


def as_it_is(fact: T) -> T:
    """Return what was read: somebody said `--keep-values`."""
    return fact
