"""crossinit_fairseq/markup.py"""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.markup import recognise_markup, suspect_markup, unescape, unescape_bytes

# what Moses' escape-special-chars.perl writes
MOSES = {
    "&amp;": "&",
    "&#124;": "|",
    "&lt;": "<",
    "&gt;": ">",
    "&apos;": "'",
    "&quot;": '"',
    "&#91;": "[",
    "&#93;": "]",
}


@pytest.mark.parametrize("entity", sorted(MOSES))
def test_the_entities_of_moses_once_and_twice(entity):
    assert (
        unescape("a " + entity + " b") == unescape("a " + entity.replace("&", "&amp;") + " b") == f"a {MOSES[entity]} b"
    )


@pytest.mark.parametrize(
    "text, expected",
    [
        ("AT&T; R&D a & b &; &#; &#x;", "AT&T; R&D a & b &; &#; &#x;"),  # no entities
        ("?a=1&para=2&copy=3", "?a=1&para=2&copy=3"),  # without a semicolon they are none
        ("&foo; &Foo1;", "&foo; &Foo1;"),  # names that HTML does not know
        ("&eacute;&#233;&#xe9;&#XE9;", "éééé"),
        ("a&nbsp;b", "a\u00a0b"),
        ("a&#10;b&NewLine;c&#13;d&#x2028;e&#27;f", "a b c d ef"),  # never a new line, never an escape code
        ("&amp;amp;amp;", "&amp;"),  # three times: one is left
    ],
)
def test_entities(text, expected):
    assert unescape(text) == expected


@given(st.text(st.sampled_from("&#;ampqutx10\n ăа"), max_size=20))
def test_any_text(text):
    found = unescape(text)
    assert found.count("\n") == text.count("\n")
    assert found == text or ";" in text
    data, entities = unescape_bytes(text.encode("utf-8") + b"\xff")
    assert data == found.encode("utf-8") + b"\xff" and (entities > 0) == (found != text)
    if "&" not in text:  # once escaped, it comes back
        assert unescape(html.escape(text)) == text


@pytest.mark.parametrize(
    "beginning, name",
    [
        ('<mediawiki xml:lang="ne"><page><title>x</title>', "a dump of MediaWiki"),
        ("  <page>\n    <title>Nepal</title>", "a dump of MediaWiki"),
        (
            '<doc id="12" url="https://en.wikipedia.org/wiki?curid=12" title="Anarchism">\nAnarchism\n',
            "the output of WikiExtractor",
        ),
        ('<refset setid="newstest2016" srclang="any" trglang="ro">', "a test set in SGML or XML"),
        ('\ufeff<?xml version="1.0"?>\n<tmx version="1.4">', "a translation memory (TMX or XLIFF)"),
        ("\n\n<!DOCTYPE html>\n<html>", "HTML"),
        ("<?xml version='1.0'?>\n<a>", "XML"),
        ('{"id": "12", "text": "A sentence."}', "JSON lines"),
        ('# comment\nmsgid ""\nmsgstr ""', "a gettext catalogue (.po)"),
        ("1\n00:00:01,000 --> 00:00:02,500\nHello.", "subtitles with their times (.srt, .vtt)"),
        (
            "{{Infobox country| name = Nepal}}\n'''Nepal''' is a [[country|land]] in Asia.\nText\n* [[Category:Asia]]",
            "the source of a wiki's pages",
        ),
        ("Text\n* [[Category:Asia]]\n[[File:a.png|thumb]]\nthat has a little left", None),
        ("-- MySQL dump 10.19\n", "a dump of a database (SQL)"),
        ("INSERT INTO `page` VALUES (1,'a');", "a dump of a database (SQL)"),
        ("% thesis\n\\documentclass[a4paper]{book}", "a source of LaTeX"),
        ("# newdoc\n# sent_id = 1\n# text = A dog", "a treebank (CoNLL-U)"),
        ("1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n", "a treebank (CoNLL-U)"),
        ("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\n", "an archive of web pages (WARC, WET)"),
        ("WARC/1.0 is a format of web pages.\nWARC-Type: is in it\n", None),
        ('[{"text": "A sentence."}]', "JSON"),
        ('[\n {\n  "id": 3,\n  "text": "A sentence."', "JSON"),
        ('{\n"id": 3,\n', "JSON"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHello.", "subtitles with their times (.srt, .vtt)"),
        ("WEBVTT is a format of subtitles.\n", None),
        ('"direction": "in" - says that it is read\n"count": 3 of them\n', None),
        ("1\tA dog runs.\tA dog stands.\tNEUTRAL\t4.5\n", None),  # a table, but no treebank
        # what text may hold
        ("'''quoted''' text\n== a line ==\n{{name}} items, {{count | number}} more\n[[x]] [1:2] a [[b:c]]", None),
        ("Insert into the slot (1,2)\nCreate table legs\n\\begin here\n# text\n-- a dump\n1\tthe\t54\tof\t3", None),
        ('"Yes": he said. "No" : she\n"a b": a thing\n["x"', None),
        ("A sentence.\nAnother with <b>tags</b>, {braces} and <page> marks.", None),
        ("", None),
    ],
)
def test_what_a_file_is(beginning, name):
    found = recognise_markup(beginning)
    assert (found.name if found else None) == name
    # only its beginning says so
    assert recognise_markup("text\n" * 20 + beginning) is None


MAIL = "From: a@b.c\nTo: d@e.f\nSubject: a thing\n\nDear all,\n"
MARKDOWN = "# Title\n\nSome **bold** text.\n\n## Part\n\n- an item\n"


@pytest.mark.parametrize(
    "beginning, name",
    [
        ("id,text\n" + '1,"Yes, it is."\n' * 6, "a table (CSV), with `,` between its columns"),
        ('"label";"sentence"\n' + "a;b c\n" * 6, "a table (CSV), with `;` between its columns"),
        (",text\n" + "".join(f"{k},the cat sat\n" for k in range(6)), "a table (CSV), with `,` between its columns"),
        ('"","text"\n' + '"1","the cat sat"\n' * 6, "a table (CSV), with `,` between its columns"),
        ("Unnamed: 0;text\n" + "0;the cat sat\n" * 6, "a table (CSV), with `;` between its columns"),
        ("".join(f"{k}\tA sentence.\n" for k in range(5)) + "5\tThe end.", "a table, with tabs between its columns"),
        ("".join(f"{k}\t\tA sentence.\t\n" for k in range(6)), "a table, with tabs between its columns"),
        ("1\tA sentence.\n" * 5 + "\tAnother.\n2\t\n", "a table, with tabs between its columns"),
        (MAIL, "mail with its headers"),
        ("Return-Path: <a@b.c>\nReceived: from x\n\tby y\nX-Any: z\nSubject: a\n", "mail with its headers"),
        ("From: A\nDate: Mon, 4 Mar 2024 10:00:00 +0100\nSubject: a\n\nDear all,\n", "mail with its headers"),
        ("A letter.\n\nFrom: A <a@b.c>\nSubject: a\nTo: B\n", "mail with its headers"),
        ("From a@b.c Mon Mar  4 10:00:00 2024\nX: y\n", "mail with its headers"),
        (MARKDOWN, "Markdown"),
        ("# A\n# B\nSee [this](https://a.b).\n", "Markdown"),
        # what text may hold
        ("Yes, it is.\n" * 9, None),
        ("Text, please\n" + "Yes, it is.\n" * 9, None),
        ("id,text\n" + "Yes, it is, and more.\n" * 9, None),
        ("A\tb\n" * 4, None),
        ("A\tb\n" * 8 + "no tab\n", None),
        # every line begins or ends with a tab, or with more: cells at an end that hold nothing
        ("\tA sentence.\n" * 8, None),
        ("A sentence.\t\n" * 8, None),
        ("\t\tA sentence.\t\n" * 8, None),
        ("\t \tA sentence.\n" * 8, None),
        ("From: here\nTo: there\nA letter: a, b, c.\n", None),
        ("From: here\nTo: there\nSubject: a way\nDate: the day after\n", None),  # as people write it
        ("From: a@b.c\nThat is all.\nTo: d@e.f\nHe said.\nSubject: none\n", None),  # never together
        ("Subject: a verb is missing\nSubject: he\n" * 4, None),
        ("From Monday to Friday.\n# 1 in the charts\n* a note\n", None),
        ("# a remark\n# another\nText without marks.\n", None),
        ("", None),
    ],
)
def test_what_a_text_looks_like(beginning, name):
    found = suspect_markup(beginning)
    assert (found[0] if found else None) == name
    assert recognise_markup(beginning) is None  # it is taken all the same
