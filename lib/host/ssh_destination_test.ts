import assert from "node:assert/strict";
import { readSshLogin, sshDestination, sshLoginText } from "./ssh_destination.ts";

Deno.test("readSshLogin() reads user, host and port, and nothing that ssh takes for an option", () => {
  const read = (text: string) => {
    const found = readSshLogin(text);
    return found && [found.user, found.host, found.port];
  };
  assert.deepEqual(read("root@kvm2"), ["root", "kvm2", undefined]);
  assert.deepEqual(read("ann.b@kvm2.example.com:2222"), ["ann.b", "kvm2.example.com", 2222]);
  assert.deepEqual(read("root@[fd00::2]:22"), ["root", "fd00::2", 22]);
  for (
    const text of [
      "kvm2",
      "@kvm2",
      "root@",
      "-oProxyCommand=x@kvm2",
      "root@-oProxyCommand=x",
      "root@kvm2:0",
      "root@kvm2:65536",
      "root@kvm2:x",
      "root@fd00::2",
      "root@kvm2 ls",
      "root@kvm2\n",
      "a@b@c",
      "root@kvm2/system",
      "root:pw@kvm2",
    ]
  ) assert.equal(readSshLogin(text), undefined, text);
});

Deno.test("sshLoginText() writes what is read", () => {
  for (const text of ["root@kvm2", "ann@[fd00::2]:2222"]) {
    assert.equal(sshLoginText(readSshLogin(text)!), text);
  }
  assert.equal(sshLoginText(sshDestination("qemu+ssh://kvm2/system")!), "root@kvm2");
});
