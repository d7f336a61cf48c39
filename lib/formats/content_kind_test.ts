import assert from "node:assert/strict";
import { contentKind, packingOf, strangeContent } from "./content_kind.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const text = (words: string) => new TextEncoder().encode(words);
/** A start of 64 KiB with something at a place. */
function at(place: number, words: string | number[]): Uint8Array {
  const head = new Uint8Array(65_536);
  head[0] = 0xeb;
  head.set(typeof words === "string" ? text(words) : words, place);
  return head;
}

Deno.test("contentKind() tells disks, CDs, packed files, archives, pages and text apart", () => {
  const table: [Uint8Array, string, RegExp | undefined][] = [
    [at(32_769, "CD001"), "cd", undefined],
    [at(34_817, "BEA01"), "cd", undefined],
    [at(510, [0x55, 0xaa]), "disk", undefined],
    [at(1080, [0x53, 0xef]), "disk", undefined],
    [bytes(0x51, 0x46, 0x49, 0xfb), "disk", undefined],
    [bytes(0x1f, 0x8b, 8, 0), "packed", /gzip/],
    [bytes(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "packed", /xz/],
    [bytes(0x28, 0xb5, 0x2f, 0xfd), "packed", /zstd/],
    [bytes(0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59), "packed", /bzip2/],
    [text("PK\u0003\u0004"), "archive", /zip/],
    [at(257, "ustar"), "archive", /tar archive/],
    [text("<!DOCTYPE html>\n<html><head><title>Checking your browser</title>"), "page", /web page/],
    [text("\ufeff  <HTML lang=en>"), "page", /web page/],
    [text('{"error": "not found"}'), "page", /error message/],
    [text("<?xml version='1.0'?><Error>"), "page", /error message/],
    [text("BZh9 is how this text begins ü".repeat(300)), "text", /text/],
    [bytes(0x1f, 0x8b, 0, 0xff), "unknown", undefined],
    [new Uint8Array(4096), "empty", undefined],
    [new Uint8Array(), "empty", undefined],
  ];
  for (const [head, kind, words] of table) {
    const found = contentKind(head);
    assert.equal(found.kind, kind, String(head.subarray(0, 40)));
    if (words === undefined) assert.equal(strangeContent(found), undefined);
    else assert.match(strangeContent(found) ?? "", words);
  }
  // A packed file does not hide a CD: what a guest could read as one is one.
  const both = at(32_769, "CD001");
  both.set([0x1f, 0x8b, 8], 0);
  assert.equal(contentKind(both).kind, "cd");
  assert.equal(packingOf(bytes(0x42, 0x5a, 0x68)), undefined);
});
