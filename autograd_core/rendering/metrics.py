"""The width of a text before it is drawn.

A picture is laid out by one program and shown by another, with whatever font is there: the same
text is 15 % wider in DejaVu Sans, the font of most Linux browsers, than in Helvetica. Boxes are
made for the widest of the common fonts. The widths of DejaVu Sans 2.37 are from its tables, in
thousandths of the font size, for the characters from U+0020 to U+007E.
"""

from __future__ import annotations

FAMILY = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 "
    "636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 "
    "748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 "
    "615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 "
    "337 636 838"
)
BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 "
    "696 696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 "
    "837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 "
    "678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 "
    "365 712 838"
)
ADVANCES = {
    bold: {chr(32 + i): int(width) for i, width in enumerate(table.split())}
    for bold, table in ((False, REGULAR), (True, BOLD))
}
# other characters: (the last code point, width): Latin, Greek and signs; Chinese …; pictographs
OTHERS = ((0x2E7F, 950), (0xFFFF, 1050), (0x10FFFF, 1400))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of text, in the unit of `size`, the font size."""
    known = ADVANCES[bold]
    return size / 1000 * sum(known.get(letter) or _other(ord(letter)) for letter in text)


def _other(code: int) -> int:
    return next(width for last, width in OTHERS if code <= last)
