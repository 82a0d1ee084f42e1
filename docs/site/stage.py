#!/usr/bin/env python3
"""stage.py DIR [BIN]: the pages of the site, and what they link to, at the places that they have in the repository.

With BIN, the folder of vitq-opt and vitq-run, a page of pictures of the embedded model is made too: a report, the
timeline of an array, an approximated function.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Pages that only the site has.
LISTING, PICTURES_PAGE = "index" + ".md", "Pictures" + ".md"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def tracked():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in files.split("\0") if name}


def prose(text):
    """Without blocks of code and inline code, in which brackets are no links."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def with_folders_as_lists(text, page, files):
    """A link to a folder of the repository becomes one to a page that lists it, which is written beside it."""
    folders = set()

    def replace(match):
        target = match[1].split("#")[0]
        path = os.path.normpath(os.path.join(os.path.dirname(page), target)) if target else ""
        if ":" in target or not (ROOT / path).is_dir() or path in ("", "."):
            return match[0]
        folders.add(path)
        return f"]({target.rstrip('/')}/{LISTING})"

    return LINK.sub(replace, text), folders


def stage(target):
    files, pages, wanted = tracked(), [], set()
    for name in sorted(files):
        if name.endswith(".md") and (name.count("/") == 0 or name.startswith(("docs/", "benchmarks/", "models/"))):
            pages.append(name)
    for name in pages:
        text, folders = with_folders_as_lists((ROOT / name).read_text(encoding="utf-8"), name, files)
        for folder in folders:
            entries = sorted(file for file in files if file.startswith(folder + "/"))
            listing = [f"# {folder}", ""] + [f"- [{os.path.relpath(file, folder)}]({os.path.relpath(file, folder)})"
                                             for file in entries]
            write(target / folder / LISTING, "\n".join(listing) + "\n")
            wanted.update(entries)
        # What tests do with a block is no business of the reader's.
        write(target / name, re.sub(r"^( *```[\w+-]+) .*$", r"\1", text, flags=re.M))
        for link in LINK.findall(prose(text)):
            link = link.split("#")[0]
            path = os.path.normpath(os.path.join(os.path.dirname(name), link)) if link else ""
            if path in files and not path.endswith(".md"):
                wanted.add(path)
    for name in sorted(wanted):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


PICTURES = """# Pictures

What the tools draw, of the embedded model of handwritten digits; made while this site was built.

## A report

[The whole page](pictures/report.html), as `--report=report.html` writes it:

![Report of the digits model](pictures/report.png)

## A systolic array at work

The queues of the longest launch on `gemmini-16x16` (`vitq-run digits.vsys --timeline=longest.svg`,
[Systolic arrays](Systolic.md)):

![Timeline of an array](pictures/timeline.svg)

## A function by eight lines

GELU as `vitq-lut --plot` draws it ([Approximation](Approximation.md)):

![GELU and its error](pictures/gelu.svg)
"""


def draw(folder, bin_folder):
    folder.mkdir(parents=True, exist_ok=True)
    digits = ROOT / "models" / "digits"

    def run(*command):
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)

    compile_digits = [bin_folder / "vitq-opt", digits / "digits.onnx", "--compile",
                      f"--calibration-data={digits / 'calibration.npy'}", "--preprocess=mean=0.5,std=0.5"]
    run(*compile_digits, "--emit=so", "-o", folder / "digits.so", f"--report={folder / 'report.html'}")
    run(*compile_digits, "--target=systolic:gemmini-16x16", "--emit=systolic", "-o", folder / "digits.vsys")
    run(bin_folder / "vitq-run", folder / "digits.vsys", f"--timeline={folder / 'timeline.svg'}")
    run(bin_folder / "vitq-lut", "--function=gelu", "--entries=8", f"--plot={folder / 'gelu.svg'}", "-o",
        folder / "gelu.json")
    for name in ("digits.so", "digits.vsys", "gelu.json"):
        (folder / name).unlink(missing_ok=True)
    chromium = shutil.which("chromium")
    if chromium:
        # Without a desktop it complains of its absence.
        subprocess.run([chromium, "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,1600",
                        f"--screenshot={folder / 'report.png'}", (folder / "report.html").as_uri()], check=True,
                       capture_output=True)


def main():
    target = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(target, ignore_errors=True)
    stage(target)
    text = "# Pictures\n\nThis site was built without vitq, which draws them: build it, then run scripts/site.sh again.\n"
    if len(sys.argv) > 2:
        pictures = target / "docs" / "pictures"
        draw(pictures, pathlib.Path(sys.argv[2]))
        # Of the report where there is a browser.
        text = PICTURES if (pictures / "report.png").exists() else re.sub(r"\n!\[Report.*\n", "\n", PICTURES)
    write(target / "docs" / PICTURES_PAGE, text)


if __name__ == "__main__":
    main()
