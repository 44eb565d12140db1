"""Stand-ins for the CUDA libraries that torch from PyPI is linked with, so that it imports on a machine without them.

tests/comfyui/install calls it: `stub_cuda.py TORCH_LIB_DIR OUT_DIR`; ComfyUI then starts with LD_LIBRARY_PATH=OUT_DIR. Each
function answers 100 (cudaErrorNoDevice), so torch finds no GPU. Symbols carry versions, which ld.so checks when it loads them.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

CUDA_LIBRARY = re.compile(r"^lib(cu|nv|nccl)")
# Opened by name at run time, so no library lists them.
OPENED_BY_NAME = {"libnvrtc-builtins.so.13", "libnvJitLink.so.13"}


def tool(*command: str) -> list[str]:
    """What a tool of binutils says, line by line."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def requirements(library: Path) -> tuple[set[str], dict[str, str]]:
    """The CUDA libraries that a library needs, and the library that each symbol version comes from."""
    needed: set[str] = set()
    file_of_version: dict[str, str] = {}
    current = ""
    for line in tool("readelf", "-dVW", str(library)):
        if (found := re.search(r"NEEDED.*\[(.*?)\]", line)) and CUDA_LIBRARY.match(found[1]):
            needed.add(found[1])
        if found := re.search(r"Version: \d+\s+File: (\S+)\s+Cnt", line):
            current = found[1]
        if (found := re.search(r"\bName: (\S+)\s+Flags", line)) and current:
            file_of_version.setdefault(found[1], current)
    return needed, file_of_version


def symbols(library: Path) -> tuple[set[str], set[str]]:
    """Names (with version) that a library leaves undefined, and names that it defines."""
    undefined: set[str] = set()
    defined: set[str] = set()
    for line in tool("nm", "-D", "--with-symbol-versions", str(library)):
        part = line.split()
        if part[0] == "U":
            undefined.add(part[1])
        elif len(part) > 2:
            defined.add(part[2].partition("@")[0])
    return undefined, defined


def build(out: Path, library: str, names_by_version: dict[str, set[str]]) -> None:
    """Compiles one stand-in."""
    names = sorted(set().union(*names_by_version.values()))
    source = out / f"{library}.c"
    source.write_text("\n".join([f"int {name}(void) {{ return 100; }}" for name in names] + ["static int empty;", ""]))
    command = ["gcc", "-w", "-fno-builtin", "-shared", "-fPIC", "-o", str(out / library), str(source)]
    command.append(f"-Wl,-soname,{library}")
    versions = {version: names for version, names in names_by_version.items() if version}
    script = out / f"{library}.map"
    if versions:
        lines = [f"{version} {{ global: {' '.join(f'{name};' for name in sorted(versions[version]))} }};" for version in sorted(versions)]
        script.write_text("\n".join(lines))
        command.append(f"-Wl,--version-script={script}")
    subprocess.run(command, check=True)
    source.unlink()
    script.unlink(missing_ok=True)


def main(torch_lib: Path, out: Path) -> None:
    """Looks through torch's libraries and builds a stand-in for each missing one."""
    out.mkdir(parents=True, exist_ok=True)
    needed: set[str] = set()
    undefined: set[str] = set()
    defined: set[str] = set()
    file_of_version: dict[str, str] = {}
    for library in sorted(torch_lib.glob("*.so*")):
        more_needed, versions = requirements(library)
        more_undefined, more_defined = symbols(library)
        needed |= more_needed
        undefined |= more_undefined
        defined |= more_defined
        file_of_version = {**versions, **file_of_version}
    wanted: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for symbol in undefined:
        name, _, version = symbol.partition("@")
        version = version.lstrip("@")
        if name in defined or not re.fullmatch(r"\w+", name):
            continue
        if version and file_of_version.get(version) in needed:
            wanted[file_of_version[version]][version].add(name)
        elif not version and re.match(r"cu|nv|nccl", name):
            # Without a version any loaded library may provide it.
            wanted["libcudnn.so.9"][""].add(name)
    for library_name in sorted(needed | OPENED_BY_NAME):
        build(out, library_name, wanted.get(library_name, {"": set()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
