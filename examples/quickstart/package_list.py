"""The packages of a Linux distribution that have much text for their size.

PACKAGES holds what paid best of some 800 packages of Debian 12 tried for
Romanian, by new words on a side for each MB, one package after the other:

    package(s)                MB    new pairs   words    words/MB
    libreoffice-l10n-ro       0.6       11827    61371      106027
    binutils-common           2.5        4028    26610       10701
    claws-mail-i18n           1.5        2782    13927        9349
    vlc-l10n                  6.4        4968    32479        5072
    pidgin-data               4.2        2392    12550        3008
    evolution-common          8.5        3964    25691        3006
    phpmyadmin                4.8        2548    17805        3692
    all those of the list      76       64700   396000        5200
    the best of 200 MB        200      108000   644000        3200

Lists of names (iso-codes, libgweather, xkb-data) were left out, and so was
what is too large for its text (gimp-data, inkscape, most of KDE).  Romanian
manual pages are few: manpages-ro, man-db, psmisc, xz-utils and help2man have
about 25000 words; nmap's lack the letters with marks.
"""

import os
import re
from typing import List

from apt_packages import Problem

# {lang} is the language's code; Ubuntu keeps translations in language packs.
PACKAGES = """
    amule-common apper-data appstream aptitude-common at-spi2-common bash
    binutils-common bleachbit cinnamon-l10n claws-mail-i18n cryptsetup-bin
    dconf-editor dpkg evolution-common evolution-data-server-common flatpak
    gawk gbrainy gitg gnome-chess gnome-commander-data gnome-disk-utility
    gnome-flashback-common gnome-packagekit-common
    gnome-settings-daemon-common gnome-software-common gnome-tweaks
    gnupg-l10n gphoto2 gsettings-desktop-schemas gvfs-common help2man kbd
    kdeplasma-addons-data libglib2.0-data libgsf-1-common libgtk2.0-common
    libkf5akonadi-data libkf5mailcommon-data libkf5unitconversion-data
    libkf5xmlgui-data libparted-i18n libreoffice-l10n-{lang} libwnck-common
    man-db manpages manpages-{lang} marco-common mate-desktop-common meld
    nano phpmyadmin pidgin-data planner-data plasma-discover-common
    poedit-common procps psmisc shotwell-common sudo sylpheed-i18n tar
    thunar-data vlc-l10n wget xz-utils
    language-pack-{lang}-base language-pack-gnome-{lang}-base
    language-pack-kde-{lang}-base
"""


def package_names(given: str, lang: str) -> List[str]:
    """The package names asked for: a file's, a list's, or the default's."""
    text = given or PACKAGES
    if given and os.path.isfile(given):
        with open(given, encoding="utf-8") as lines:
            text = " ".join(line.split("#")[0] for line in lines)
    code = lang.lower().replace("_", "-")
    names = {name.replace("{lang}", code) for name in re.split(r"[\s,]+", text) if name}
    for name in sorted(names):
        if not re.match(r"[a-z0-9][a-z0-9+.-]*$", name):
            raise Problem(f"{name!r} is neither a file nor a package name")
    return sorted(names)
