import assert from "node:assert/strict";
import type { ConnectionStatus, HostStatus } from "../contract/mod.ts";
import { awayHosts, hostIdOf, listedHosts } from "./listed.ts";

const host = (id: string, status: HostStatus["status"] = "connected"): HostStatus => ({
  id,
  label: `Host ${id}`,
  uri: "",
  isLocal: id === "local",
  status,
  since: 1,
  error: status === "connected" ? null : "refused",
  isKnown: true,
  foreignVms: [],
});
const link = (connected: boolean): ConnectionStatus => ({
  connected,
  uri: "",
  status: connected ? "connected" : "disconnected",
  since: 5,
  error: connected ? null : "cut",
});

Deno.test("listedHosts() lists none where there is one host", () => {
  assert.deepEqual(listedHosts([host("local"), host("lab", "disabled")]), []);
  assert.deepEqual(listedHosts([host("local"), host("lab", "connecting")]).map(({ id }) => id), [
    "local",
    "lab",
  ]);
});

Deno.test("awayHosts() goes by what was heard last of a host", () => {
  const hosts = listedHosts([host("local"), host("lab", "disconnected"), host("far")]);
  const none = awayHosts(hosts, () => null);
  assert.deepEqual([...none.values()].map(({ id, error, since }) => [id, error, since]), [[
    "lab",
    "refused",
    1,
  ]]);
  const heard = awayHosts(hosts, (id) => id === "local" ? null : link(id === "lab"));
  assert.deepEqual([...heard.values()].map(({ id, error, since }) => [id, error, since]), [[
    "far",
    "cut",
    5,
  ]]);
});

Deno.test("hostIdOf() takes a VM whose host is no id for one of the local host", () => {
  const hosts = listedHosts([host("local"), host("lab")]);
  assert.equal(hostIdOf({ host: "lab" }, hosts), "lab");
  assert.equal(hostIdOf({ host: "kvm1.example.org" }, hosts), "local");
});
