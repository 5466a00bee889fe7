#!/usr/bin/env python3
"""Makes data/records.json: test vectors of lists, bitfields and records.

An implementation of its own of what formats/src/{list,bits,record}/mod.rs specify: the hash
functions and the trees are written from their definitions, by recursion, and share nothing with
the Rust code. Needs python3 alone. `--check` compares instead of writing.
"""

import hashlib
import json
import pathlib
import sys

OUT = pathlib.Path(__file__).with_name("records.json")


# Hash functions.


def keccak256(message):
    def rotated(word, by):
        return (word << by | word >> (64 - by)) & (2**64 - 1) if by else word

    rate = 136
    padded = bytearray(message) + b"\x01"
    padded += bytes(-len(padded) % rate)
    padded[-1] |= 0x80
    state = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            word = int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
            state[i % 5][i // 5] ^= word
        lfsr = 1
        for _ in range(24):
            c = [a ^ b ^ d ^ e ^ f for a, b, d, e, f in state]
            d = [c[(x - 1) % 5] ^ rotated(c[(x + 1) % 5], 1) for x in range(5)]
            state = [[state[x][y] ^ d[x] for y in range(5)] for x in range(5)]
            x, y, current = 1, 0, state[1][0]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, state[x][y] = state[x][y], rotated(current, (t + 1) * (t + 2) // 2 % 64)
            for y in range(5):
                row = [state[x][y] for x in range(5)]
                for x in range(5):
                    state[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
            for j in range(7):
                if lfsr & 1:
                    state[0][0] ^= 1 << (2**j - 1)
                lfsr = lfsr << 1 ^ (0x171 if lfsr & 0x80 else 0)
    return b"".join(state[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]


def blake3_compress(chaining, block, length, flags):
    m = [int.from_bytes(block[4 * i : 4 * i + 4], "little") for i in range(16)]
    v = chaining + IV[:4] + [0, 0, length, flags]

    def mix(a, b, c, d, mx, my):
        for extra, first, second in ((mx, 16, 12), (my, 8, 7)):
            v[a] = (v[a] + v[b] + extra) % 2**32
            x = v[d] ^ v[a]
            v[d] = (x >> first | x << (32 - first)) % 2**32
            v[c] = (v[c] + v[d]) % 2**32
            x = v[b] ^ v[c]
            v[b] = (x >> second | x << (32 - second)) % 2**32

    for _ in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in ORDER]
    return [v[i] ^ v[i + 8] for i in range(8)]


def blake3(message):
    """Of one chunk: at most 1,024 bytes."""
    assert len(message) <= 1024
    chaining = IV
    blocks = [message[i : i + 64] for i in range(0, len(message), 64)] or [b""]
    for n, block in enumerate(blocks):
        flags = (n == 0) * 1 + (n == len(blocks) - 1) * (2 + 8)
        chaining = blake3_compress(chaining, block.ljust(64, b"\0"), len(block), flags)
    return b"".join(word.to_bytes(4, "little") for word in chaining)


def sha256(message):
    return hashlib.sha256(message).digest()


HASHES = {"blake3": blake3, "keccak256": keccak256, "sha256": sha256}


def check_hashes():
    known = {
        "blake3": "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        "keccak256": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }
    for name, hash_function in HASHES.items():
        assert hash_function(b"abc").hex() == known[name], name


# Trees.


def u64(number):
    return number.to_bytes(8, "little")


def fill(message, length=128):
    assert len(message) <= length
    return message.ljust(length, b"\0")


def name(text):
    return text.encode().ljust(16, b"\0")


def split(length):
    """The largest power of two below a length of at least two."""
    return 1 << (length - 1).bit_length() - 1


def list_root(h, leaves):
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return h(list_root(h, leaves[:k]) + list_root(h, leaves[k:]))


def list_path(h, leaves, index):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return list_path(h, leaves[:k], index) + [list_root(h, leaves[k:])]
    return list_path(h, leaves[k:], index - k) + [list_root(h, leaves[:k])]


def bits_root(h, words, height):
    if not any(map(any, words)):
        node = bytes(32)
        for _ in range(height):
            node = h(node + node)
        return node
    if height == 0:
        return words[0]
    half = 1 << (height - 1)
    return h(bits_root(h, words[:half], height - 1) + bits_root(h, words[half:], height - 1))


def bits_height(length):
    words = -(-length // 256)
    return max(2, (words - 1).bit_length() if words else 0)


def bits_words(length, bits):
    field = bytearray(32 * (-(-length // 256)))
    for bit in bits:
        field[bit // 8] |= 1 << bit % 8
    return [bytes(field[i : i + 32]) for i in range(0, len(field), 32)]


# Records.


def record_encoding(r):
    payload = bytes.fromhex(r["payload"])
    return b"".join([
        u64(r["index"]),
        bytes([r["class"]]),
        bytes.fromhex(r["contract"]),
        bytes.fromhex(r["owner"]),
        bytes([len(payload)]),
        payload,
    ])


def record_leaf(h, r):
    return h(fill(record_encoding(r)))


def block_root(h, block, records):
    if not records:
        return bytes(32)
    leaves = [record_leaf(h, r) for r in records]
    numbers = u64(block) + u64(records[0]["index"]) + u64(len(records))
    return h(fill(name("thinstate/block") + numbers + list_root(h, leaves)))


def batch_root(h, batch, roots):
    numbers = u64(batch) + u64(len(roots))
    return h(fill(name("thinstate/batch") + numbers + list_root(h, roots)))


def path_encoding(h, block, records, at, ring=None):
    leaves = [record_leaf(h, r) for r in records]
    siblings = list_path(h, leaves, at)
    head = u64(block) + u64(records[0]["index"]) + len(records).to_bytes(4, "little")
    out = head + bytes([ring is not None, len(siblings)]) + b"".join(siblings)
    if ring is not None:
        siblings = list_path(h, ring, block % len(ring))
        out += bytes([len(siblings)]) + b"".join(siblings)
    return out


def some_record(index):
    length = [0, 64, 1, 20, 33][index % 5]
    return {
        "index": index,
        "class": index % 7,
        "contract": sha256(b"contract" + u64(index % 3))[:20].hex(),
        "owner": sha256(b"owner" + u64(index))[:20].hex(),
        "payload": (sha256(b"payload" + u64(index)) * 2)[:length].hex(),
    }


def some_chain():
    """Two batches of a ring of 5, with 0 to 6 records in a block."""
    blocks, index = [], 0
    for block in range(10):
        count = [3, 0, 1, 6, 2, 5, 0, 4, 1, 3][block]
        blocks.append([some_record(index + i) for i in range(count)])
        index += count
    return blocks, index


def vectors(h):
    out = {"lists": [], "bits": [], "records": [], "blocks": [], "batches": [], "paths": []}
    for length in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 21, 32, 33]:
        leaves = [sha256(b"leaf" + u64(i)) for i in range(length)]
        index = 2 * length // 3
        path = list_path(h, leaves, index) if leaves else []
        out["lists"].append({
            "len": length,
            "root": list_root(h, leaves).hex(),
            "index": index,
            "path": [node.hex() for node in path],
        })
    for length in [0, 1, 255, 256, 257, 1024, 1025, 2048, 65536, 65537, 10**6, 2**32]:
        bits = sorted({i * i * 7919 % length for i in range(40)} if 1 < length < 2**32 else set())
        words = bits_words(length, bits) if bits else []
        root = bits_root(h, words, bits_height(length))
        commitment = h(fill(name("thinstate/bits") + u64(length) + root))
        out["bits"].append({"len": length, "set": bits, "root": root.hex(), "commitment": commitment.hex()})
    fields = []
    for kind, period, vector in [(0, 0, 5), (1, 0, 3), (1, 7, 9), (1, 258, 0)]:
        commitment = bytes.fromhex(out["bits"][vector]["commitment"])
        fields.append(h(fill(name("thinstate/field") + u64(kind) + u64(period) + commitment)))
    out["fields"] = h(fill(name("thinstate/spent") + u64(4) + list_root(h, fields))).hex()
    blocks, next_index = some_chain()
    for r in sum(blocks, [])[:6]:
        encoded = record_encoding(r).hex()
        out["records"].append({**r, "encoding": encoded, "leaf": record_leaf(h, r).hex()})
    roots = [block_root(h, block, records) for block, records in enumerate(blocks)]
    out["blocks"] = [root.hex() for root in roots]
    batches = [batch_root(h, batch, roots[5 * batch : 5 * batch + 5]) for batch in range(2)]
    out["batches"] = [root.hex() for root in batches]
    for block, records in enumerate(blocks):
        for at, r in enumerate(records):
            ring = roots[block // 5 * 5 : block // 5 * 5 + 5] if r["index"] % 2 else None
            path = path_encoding(h, block, records, at, ring)
            out["paths"].append({"index": r["index"], "encoding": path.hex()})
    tier = name("thinstate/utxo") + u64(next_index) + u64(5) + list_root(h, roots[5:])
    tier += u64(2) + list_root(h, batches)
    out["tier"] = h(fill(tier)).hex()
    return out


def main():
    check_hashes()
    blocks, _ = some_chain()
    content = {"ring_len": 5, "chain": blocks, "hashes": {n: vectors(h) for n, h in HASHES.items()}}
    text = json.dumps(content, indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if OUT.read_text() == text else f"{OUT} differs from what this makes")
    OUT.write_text(text)


if __name__ == "__main__":
    main()
