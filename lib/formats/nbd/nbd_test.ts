import assert from "node:assert/strict";
import { greeting, OPTION, optionIn, optionReply, replyHead, requestIn } from "./nbd.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();
const bytes = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

Deno.test("the server's words are those of the protocol", () => {
  assert.equal(hex(greeting()), "4e42444d41474943" + "49484156454f5054" + "0003");
  assert.equal(hex(optionReply(OPTION.exportName, 4096)), "0000000000001000" + "0003");
  assert.equal(
    hex(optionReply(OPTION.go, 4096)),
    "0003e889045565a9" + "00000007" + "00000003" + "0000000c" + "0000" + "0000000000001000" + "0003" +
      "0003e889045565a9" + "00000007" + "00000001" + "00000000",
  );
  assert.equal(hex(optionReply(8, 1)), "0003e889045565a9" + "00000008" + "80000001" + "00000000");
  assert.equal(hex(replyHead(7n, 5)), "67446698" + "00000005" + "0000000000000007");
});

Deno.test("a client's words are read, and what is none of them is told", () => {
  assert.deepEqual(optionIn(bytes("49484156454f5054 00000007 00000010")), { option: 7, length: 16 });
  assert.equal(optionIn(bytes("49484156454f5055 00000007 00000010")), undefined);
  assert.deepEqual(requestIn(bytes("25609513 0000 0000 0000000000000009 0000000000200000 00001000")), {
    type: 0,
    cookie: 9n,
    offset: 0x200000,
    length: 4096,
  });
  assert.equal(requestIn(new Uint8Array(28)), undefined);
});
