import assert from "node:assert/strict";
import {
  clientStatement,
  invitationText,
  linkAddress,
  readInvitation,
  serverStatement,
} from "./link_protocol.ts";

const KEY = "A".repeat(43), SECRET = "B".repeat(43);

Deno.test("readInvitation() reads what invitationText() writes, also with blanks around it and a path", () => {
  for (const address of ["https://kvm2:8006", "https://[fd00::2]:8006", "https://kvm.example/host2"]) {
    const invitation = { address, publicKey: KEY, secret: SECRET };
    assert.deepEqual(readInvitation(` ${invitationText(invitation)}\n`), invitation);
  }
});

Deno.test("readInvitation() takes nothing else", () => {
  const good = invitationText({ address: "https://kvm2:8006", publicKey: KEY, secret: SECRET });
  for (
    const text of [
      "",
      "https://kvm2:8006",
      good.replace("https", "http"),
      good.replace("kvm2", "ann:pw@kvm2"),
      good.replace("#join/", "#"),
      good.slice(0, -1),
      `${good}x`,
      good.replace("8006", "8006/?x=1"),
      `kvm-manager ${good}`,
    ]
  ) assert.equal(readInvitation(text), undefined, text);
});

Deno.test("linkAddress() is an address alone, without a slash at its end", () => {
  assert.equal(linkAddress("https://kvm2:8006/"), "https://kvm2:8006");
  assert.equal(linkAddress("https://KVM2/host/"), "https://kvm2/host");
  for (
    const text of ["kvm2", "http://kvm2", "https://a@kvm2", "https://kvm2?x", "https://kvm2#x", "ftp://kvm2"]
  ) {
    assert.equal(linkAddress(text), undefined, text);
  }
});

Deno.test("what the two sides sign can stand for each other nowhere", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.notEqual(text(serverStatement("ab", "cd")), text(clientStatement("", "ab", "cd")));
  assert.notEqual(text(clientStatement("k", "ab", "cd")), text(clientStatement("k", "abc", "d")));
});
