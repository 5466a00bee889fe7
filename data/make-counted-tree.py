#!/usr/bin/env python3
"""Makes data/counted-tree.json: test vectors of the counted tree.

An implementation of its own of what formats/src/counted/mod.rs specifies, one leaf and one bit at a time. SHA-256 is hashlib's,
keccak256 is pycryptodome's and BLAKE3 is that of the package blake3, both pinned and installed into a temporary folder.

Needs python3 (3.9 or newer) with pip; on Debian: apt-get install python3-pip.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ["pycryptodome==4.4.0", "blake3==1.0.11"]
OUTPUT = Path(__file__).resolve().parent / "counted-tree.json"


def main():
    parser = argparse.ArgumentParser(description="Makes data/counted-tree.json: test vectors of the counted tree.")
    parser.add_argument("--check", action="store_true", help="write nothing; compare the existing file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="thinstate-counted-") as scratch:
        functions = hash_functions(Path(scratch))
        text = json.dumps({"sets": [describe(name, leaves, functions) for name, leaves in sets()]}, indent=1) + "\n"
    if options.check:
        if OUTPUT.read_text() != text:
            sys.exit(f"{OUTPUT}: not as this script makes it")
        print(f"{OUTPUT}: as this script makes it", file=sys.stderr)
        return
    partial = OUTPUT.with_name(OUTPUT.name + ".part")
    partial.write_text(text)
    os.replace(partial, OUTPUT)
    print(f"{OUTPUT}: {len(text)} bytes", file=sys.stderr)


def hash_functions(folder):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--target", str(folder), *PACKAGES]
    quiet_as_root = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, env=quiet_as_root)
    except subprocess.CalledProcessError as error:
        sys.exit(f"pip failed with status {error.returncode}; it is needed (Debian: apt-get install python3-pip), and so is PyPI")
    sys.path.insert(0, str(folder))
    import blake3
    from Crypto.Hash import keccak

    return {
        "blake3": lambda message: blake3.blake3(message).digest(),
        "keccak256": lambda message: keccak.new(digest_bits=256, data=message).digest(),
        "sha256": lambda message: hashlib.sha256(message).digest(),
    }


# The leaves.


def leaf(seed):
    """A location that looks hashed, and a value of no more bytes than the seed needs."""
    return hashlib.sha256(b"counted tree %d" % seed).digest(), (seed * seed).to_bytes(32, "big")


def low(number):
    """A location that differs from others in its last bits only."""
    return number.to_bytes(32, "big"), (number + 1).to_bytes(32, "big")


def sets():
    yield "empty", []
    yield "one leaf", [leaf(1)]
    yield "two leaves", sorted([leaf(1), leaf(2)])
    yield "three leaves", sorted(map(leaf, range(3)))
    yield "17 leaves", sorted(map(leaf, range(17)))
    yield "64 leaves", sorted(map(leaf, range(64)))
    yield "two leaves that differ in their last bit", [low(2), low(3)]
    yield "a chain of nine leaves", [low(0)] + [low(1 << bit) for bit in range(8)]
    yield "the longest value", [(bytes([0xAA] * 32), bytes([0xFF] * 32)), (bytes([0xAB] * 32), bytes([0x80] + [0] * 31))]


# The tree: (hash, count, leaves below, halves).


class Node:
    def __init__(self, hashed, leaves, halves=()):
        self.hash, self.count, self.leaves, self.halves = hashed, len(leaves), leaves, halves


def build(function, leaves):
    if not leaves:
        return Node(bytes(32), [])
    if len(leaves) == 1:
        ((location, value),) = leaves
        return Node(function(location + value), leaves)
    at = next(at for at in range(256) if len({bit(location, at) for location, _ in leaves}) == 2)
    left, right = (build(function, [leaf for leaf in leaves if bit(leaf[0], at) == side]) for side in (0, 1))
    counts = left.count.to_bytes(8, "little") + right.count.to_bytes(8, "little")
    return Node(function(left.hash + right.hash + counts + bytes(48)), leaves, (left, right))


def bit(location, at):
    return location[at // 8] >> (7 - at % 8) & 1


# The proofs.


def siblings(node, index):
    """(stands on the left, node), from the leaf upwards."""
    if not node.halves:
        return []
    left, right = node.halves
    if index < left.count:
        return siblings(left, index) + [(False, right)]
    return siblings(right, index - left.count) + [(True, left)]


def inclusion(node, index):
    path = siblings(node, index)
    sides = bytearray((len(path) + 7) // 8)
    for at, (stands_left, _) in enumerate(path):
        sides[at // 8] |= stands_left << at % 8
    return varint(len(path)) + bytes(sides) + b"".join(node_bytes(sibling) for _, sibling in path)


def multi(node, proven):
    steps, nodes = [], []

    def visit(node):
        if not any(leaf in proven for leaf in node.leaves):
            steps.append(0)
            nodes.append(node)
        elif not node.halves:
            steps.append(1)
        else:
            steps.append(2)
            visit(node.halves[0])
            visit(node.halves[1])

    visit(node)
    codes = bytearray((len(steps) + 3) // 4)
    for at, step in enumerate(steps):
        codes[at // 4] |= step << 2 * (at % 4)
    return varint(len(steps)) + bytes(codes) + b"".join(map(node_bytes, nodes))


def exclusion(node, location):
    below = [leaf for leaf in node.leaves if leaf[0] < location]
    above = [leaf for leaf in node.leaves if leaf[0] > location]
    if not below and not above:
        return bytes([0])
    if not below:
        return bytes([1]) + leaf_bytes(above[0]) + inclusion(node, 0)
    if not above:
        return bytes([2]) + leaf_bytes(below[-1]) + inclusion(node, node.count - 1)
    pair = [below[-1], above[0]]
    return bytes([3]) + b"".join(map(leaf_bytes, pair)) + multi(node, pair)


def varint(number):
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


def node_bytes(node):
    return node.hash + varint(node.count)


def leaf_bytes(leaf):
    location, value = leaf
    value = value.lstrip(b"\0")
    return location + bytes([len(value)]) + value


# The file.


def describe(name, leaves, functions):
    return {
        "name": name,
        "leaves": [[location.hex(), value.hex()] for location, value in leaves],
        "trees": [tree(function_name, function, leaves) for function_name, function in functions.items()],
    }


def tree(name, function, leaves):
    node = build(function, leaves)
    chosen = sorted({0, len(leaves) // 2, len(leaves) - 1}) if leaves else []
    described = {
        "hash": name,
        "root": node.hash.hex(),
        "count": node.count,
        "inclusion": [{"index": index, "proof": inclusion(node, index).hex()} for index in chosen],
        "exclusion": [
            {"location": location.hex(), "proof": exclusion(node, location).hex()} for location in absent(leaves)
        ],
    }
    many = sorted({index * len(leaves) // 5 for index in range(1, 5)})
    if leaves:
        proof = multi(node, [leaves[index] for index in many])
        described["multi"] = {"indexes": many, "proof": proof.hex()}
    return described


def absent(leaves):
    """A location at each end, and one in the middle."""
    taken = {location for location, _ in leaves}
    places = [bytes(32), bytes([0x7F] * 32), bytes([0xFF] * 32)]
    if leaves:
        behind = int.from_bytes(leaves[len(leaves) // 2][0], "big") + 1
        places.append(behind.to_bytes(32, "big"))
    return [place for place in places if place not in taken]


if __name__ == "__main__":
    main()
