import assert from "node:assert/strict";
import { ApiError } from "../lib/client/api.ts";
import { forEachVm, linePrefixer } from "./each_vm.ts";

const VMS = ["web1", "web2", "web7", "db1"].map((name) => ({ id: `id-of-${name}`, name }));
const server = { call: () => Promise.resolve(VMS) };

Deno.test("forEachVm() does it for each VM that a pattern fits, and for one by its name alone", async () => {
  const done: string[] = [];
  const run = (status: number) => (vm: { name: string; isOneOfSeveral: boolean }) => {
    done.push(`${vm.name} ${vm.isOneOfSeveral}`);
    return Promise.resolve(status);
  };
  assert.equal(await forEachVm(server, "web[1-5]", run(0)), 0);
  assert.equal(await forEachVm(server, "db1", run(7)), 7, "the guest's own exit status");
  assert.deepEqual(done.sort(), ["db1 false", "web1 true", "web2 true"]);
  assert.equal(await forEachVm(server, "web*", run(7)), 1);
  await assert.rejects(forEachVm(server, "x*", run(0)), { code: "VmNotFound" });
});

Deno.test("forEachVm() goes on where one of several fails, and says which", async () => {
  const done: string[] = [], said: string[] = [], error = console.error;
  console.error = (text: string) => said.push(text);
  try {
    const status = await forEachVm(server, "web*", ({ name }) => {
      if (name === "web1") throw new ApiError("GuestAgentNotConnected", "no agent");
      done.push(name);
      return Promise.resolve(0);
    });
    assert.deepEqual([status, done, said], [1, ["web2", "web7"], ["kvm-manager: web1: no agent"]]);
  } finally {
    console.error = error;
  }
});

Deno.test("linePrefixer() names the VM once a line, wherever the pieces end", () => {
  const { read, end } = linePrefixer("web1"), text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const encode = (each: string) => new TextEncoder().encode(each);
  assert.equal(
    ["a\nb", "c\n", "\n", "d"].map((each) => text(read(encode(each)))).join(""),
    "web1: a\nweb1: bc\nweb1: \nweb1: d",
  );
  assert.equal(text(end()) + text(end()), "\n");
});
