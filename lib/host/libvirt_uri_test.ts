import assert from "node:assert/strict";
import { checkLibvirtUri } from "./libvirt_uri.ts";
import { render } from "../i18n/message.ts";

Deno.test("checkLibvirtUri() takes connections to this machine and to others, and ssh never asks", () => {
  for (
    const uri of [
      ...["qemu:///system", "qemu:///session", "test:///default", "qemu+tls://kvm2.example/system"],
      "qemu+unix:///system?socket=/run/other/libvirt-sock",
      "qemu+tls://[fd00::2]:16514/system?pkipath=/etc/pki",
    ]
  ) assert.deepEqual(checkLibvirtUri(uri), { uri });
  assert.deepEqual(checkLibvirtUri("qemu+ssh://root@10.0.0.2:2222/system"), {
    uri: "qemu+ssh://root@10.0.0.2:2222/system?no_tty=1",
  });
  assert.deepEqual(checkLibvirtUri("qemu+ssh://kvm2/system?keyfile=/root/.ssh/id&no_tty=1"), {
    uri: "qemu+ssh://kvm2/system?keyfile=/root/.ssh/id&no_tty=1",
  });
});

Deno.test("checkLibvirtUri() refuses what runs programs, trusts anyone, asks a person or is no connection", () => {
  const refused: readonly (readonly [uri: string, reason: RegExp])[] = [
    ["qemu+ssh://h/system?command=/tmp/evil", /and not command/],
    ["qemu+ssh://h/system?netcat=/tmp/evil", /and not netcat/],
    ["qemu+ssh://h/system?no_verify=1", /and not no_verify/],
    ["qemu+ssh://h/system?known_hosts=/dev/null", /and not known_hosts/],
    ["qemu+ssh://-oProxyCommand=evil/system", /no name or address/],
    ["qemu+ssh://-l@h/system", /names a user/],
    ["qemu+ssh://h/system?keyfile=relative", /must be a path/],
    ["qemu+ssh://h/system?keyfile=/a&keyfile=/b", /twice/],
    ["qemu+ssh:///system", /names no host/],
    ["qemu://h/system", /is of this machine/],
    ["qemu+ext:///system?command=/tmp/evil", /must begin with/],
    ["qemu+tcp://h/system", /must begin with/],
    ["xen:///system", /must begin with/],
    ["test:///etc/passwd", /its path must be \/default/],
    ["qemu+ssh://h:99999/system", /no port/],
    ["qemu+ssh://h:x/system", /no port/],
    ["qemu+tls://user@h/system", /names a user/],
    ["qemu+tls://h/other", /\/system or \/session/],
    ["qemu+ssh://h/system#x", /must begin with/],
    ["qemu+ssh://h\n/system", /no name or address/],
    ["", /must begin with/],
  ];
  for (const [uri, reason] of refused) {
    const found = checkLibvirtUri(uri);
    assert.match("reason" in found ? render(found.reason) : JSON.stringify(found), reason, uri);
  }
});
