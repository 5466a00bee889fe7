#!/usr/bin/env python3
"""Makes data/mainnet-genesis.json.zst again, bit for bit.

Input:  the wheel of ethereum-execution 2.20.0 from PyPI (CC0-1.0), of which ethereum/assets/mainnet.json
        holds the allocation and the header fields of mainnet's genesis block.
Output: one zstd frame around compact JSON in the shape of a geth genesis file: header fields first, then `alloc`,
        one entry for each account, sorted by address, quantities without leading zeros, a newline at the end.

Both packages are pinned by version, the wheel by its checksum too. zstd's output depends on the version of the library, so the
compressor comes from the pinned `zstandard` wheel, which brings its own, and not from the system.

Needs python3 (3.9 or newer) with pip; on Debian: apt-get install python3-pip.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SOURCE = "ethereum-execution==2.20.0"
SOURCE_PYTHON = "3.11"
SOURCE_SHA256 = "5322bab367faeb6c9102a1131d13da8f7ba74fead5464c87c887f9221c9767a1"
MEMBER = "ethereum/assets/mainnet.json"
COMPRESSOR = "zstandard==0.25.0"
COMPRESSION_LEVEL = 19
ACCOUNTS = 8_893
OUTPUT = Path(__file__).resolve().parent / "mainnet-genesis.json.zst"
JSON_SHA256 = "9355994c471aa2b92fb98ce4e92e8b53408ac226f59a1f94b47b63a9f1d317ac"
OUTPUT_SHA256 = "cf13dc3096507414e47cf9416b75eb3c48396081bb318cb3c2305c09d9c31e12"


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="thinstate-genesis-") as scratch:
        wheel = options.wheel or download_source(Path(scratch))
        text = canonical_json(read_allocation(wheel))
        require_sha256("the JSON", text, JSON_SHA256)
        packed = compress(text, Path(scratch) / "packages")
    require_sha256("the compressed file", packed, OUTPUT_SHA256)
    if options.check:
        require_sha256(str(options.output), options.output.read_bytes(), OUTPUT_SHA256)
        print(f"{options.output}: as this script makes it", file=sys.stderr)
        return
    write_whole(options.output, packed)
    print(f"{options.output}: {ACCOUNTS} accounts, {len(text)} bytes of JSON, {len(packed)} compressed", file=sys.stderr)


def parse_options():
    parser = argparse.ArgumentParser(description="Makes data/mainnet-genesis.json.zst again, bit for bit.")
    parser.add_argument("--wheel", type=Path, help=f"use this wheel of {SOURCE} instead of downloading it")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to write (default: beside this script)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare the existing file")
    return parser.parse_args()


def pip(*arguments):
    """Runs pip of this interpreter; its output goes to stderr."""
    command = [sys.executable, "-m", "pip", *arguments]
    quiet_as_root = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, env=quiet_as_root)
    except subprocess.CalledProcessError as error:
        sys.exit(f"pip failed with status {error.returncode}; it is needed (Debian: apt-get install python3-pip), and so is PyPI")


def download_source(folder):
    """Downloads the wheel; it is only unzipped, so the interpreter's own version does not matter."""
    pip(
        "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--python-version", SOURCE_PYTHON, "--dest", str(folder), SOURCE,
    )
    (wheel,) = folder.glob("ethereum_execution-*.whl")
    return wheel


def read_allocation(wheel):
    require_sha256(str(wheel), wheel.read_bytes(), SOURCE_SHA256)
    with zipfile.ZipFile(wheel) as archive:
        return json.loads(archive.read(MEMBER))


def canonical_json(source):
    """The genesis file's bytes. Of `config` only the chain's id is kept: the package's list of forks ends at Berlin."""
    alloc = {address.lower(): canonical_account(account) for address, account in source["alloc"].items()}
    if len(alloc) != ACCOUNTS:
        sys.exit(f"{len(alloc)} accounts in {MEMBER}, expected {ACCOUNTS}")
    genesis = {
        "config": {"chainId": source["config"]["chainId"]},
        "nonce": quantity(source["nonce"]),
        "timestamp": quantity(source["timestamp"]),
        "extraData": source["extraData"],
        "gasLimit": quantity(source["gasLimit"]),
        "difficulty": quantity(source["difficulty"]),
        "mixHash": source["mixHash"],
        "coinbase": source["coinbase"],
        "alloc": dict(sorted(alloc.items())),
    }
    return (json.dumps(genesis, separators=(",", ":")) + "\n").encode()


def canonical_account(account):
    """A genesis account of mainnet is a balance and nothing else; anything more would be dropped silently."""
    if set(account) != {"balance"}:
        sys.exit(f"a genesis account has the fields {sorted(account)}, expected a balance alone")
    return {"balance": quantity(account["balance"])}


def quantity(text):
    return hex(int(text, 16))


def compress(text, packages):
    """One zstd frame with the content's size and checksum, from the pinned library installed under `packages`."""
    pip("install", "--quiet", "--no-deps", "--only-binary=:all:", "--target", str(packages), COMPRESSOR)
    sys.path.insert(0, str(packages))
    import zstandard

    compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True, write_content_size=True)
    return compressor.compress(text)


def require_sha256(name, content, expected):
    got = hashlib.sha256(content).hexdigest()
    if got != expected:
        sys.exit(f"{name}: sha256 is {got}, expected {expected}")


def write_whole(path, content):
    """Writes beside the target and renames, so that a broken run leaves the old file."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)


if __name__ == "__main__":
    main()
