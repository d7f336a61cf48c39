import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { Hang, VM } from "../../lib/contract/mod.ts";
import type { HostBrief } from "../../lib/host/brief.ts";
import { AttentionPanel, type AttentionPanelProps } from "./AttentionPanel.tsx";

/** Nothing is wrong, as far as the last examination of the host found. */
const CALM: AttentionPanelProps = {
  vms: [],
  total: 0,
  host: [],
  hangs: [],
  lacks: [],
  away: [],
  now: 1,
  mayHealth: true,
  connection: { connected: true, uri: "qemu:///system", error: null } as AttentionPanelProps["connection"],
  alerts: { firing: 0, acknowledged: 0, silenced: 0, worst: null },
  health: { at: 1, problems: 0, warnings: 0 },
};
const AWAY: HostBrief = {
  id: "kvm2",
  label: "Attic",
  status: "disconnected",
  since: 1,
  error: "KVM Manager there is away.",
  version: undefined,
  manager: undefined,
  vmCount: 2,
  load: undefined,
  foreign: 0,
};
const shown = (more: Partial<AttentionPanelProps>) => render(<AttentionPanel {...CALM} {...more} />);
const ALL = /All is well\./, KNOWN = /No VM needs attention, and no alert is firing\./;

Deno.test("AttentionPanel says that all is well where the host was examined and nothing is wrong alone", () => {
  assert.match(shown({}), ALL);
  assert.match(shown({ alerts: { ...CALM.alerts!, acknowledged: 1, silenced: 1 } }), ALL);
  const unknown = shown({ health: undefined });
  assert.match(unknown, KNOWN);
  assert.doesNotMatch(unknown, ALL);
  const vm = { id: "1", name: "web", state: "crashed", attention: [] } as unknown as VM;
  const hang = { about: "pool", name: "nfs", since: 1, remedy: "", waiting: 0 } as unknown as Hang;
  const wrong: Partial<AttentionPanelProps>[] = [
    { health: { at: 1, problems: 1, warnings: 0 } },
    { health: { at: 1, problems: 0, warnings: 1 } },
    { alerts: { ...CALM.alerts!, firing: 1, worst: "warning" } },
    { host: ["The database cannot be written."] },
    { connection: { ...CALM.connection, connected: false } },
    { hangs: [hang] },
    { away: [AWAY] },
    { alerts: null },
    { hangs: null },
    { vms: [vm], total: 1 },
  ];
  for (const each of wrong) {
    const html = shown(each);
    assert.doesNotMatch(html, ALL, JSON.stringify(each));
    assert.doesNotMatch(html, KNOWN, JSON.stringify(each));
    assert.match(html, /<li /, JSON.stringify(each));
  }
});

Deno.test("AttentionPanel names each host that is away, since when and why", () => {
  const html = shown({ away: [AWAY] });
  assert.match(html, /<a class="attention-name" href="\/hosts\/kvm2\/">.*Host Attic/);
  assert.match(html, /Not connected since .*: KVM Manager there is away\./);
});
