import assert from "node:assert/strict";
import fc from "fast-check";
import { type ForwardNames, type ForwardRule, forwardTransaction } from "./forwards.ts";
import { type NftJson, tableOf } from "./json.ts";

const NAMES: ForwardNames = { table: "kvm_manager", out: "kvmmfwd0", in: "kvmmfwd1", mark: 0x6b123456 };
const WEB: ForwardRule = {
  id: "1",
  family: 4,
  protocol: "tcp",
  hostAddress: undefined,
  from: 8080,
  to: 8080,
  target: "192.168.122.5",
  targetFrom: 80,
  bridge: "virbr0",
  subnet: { address: "192.168.122.0", prefix: 24 },
};

type Command = Record<"add" | "delete", Record<string, Record<string, NftJson>> | undefined>;

const commands = (rules: readonly ForwardRule[]) =>
  (forwardTransaction(rules, NAMES) as unknown as { nftables: Command[] }).nftables;

/** The statements of a chain's rules. */
function chain(rules: readonly ForwardRule[], name: string): Record<string, NftJson>[][] {
  return commands(rules).flatMap(({ add }) =>
    add?.rule?.chain === name ? [add.rule.expr as unknown as Record<string, NftJson>[]] : []
  );
}

/** The value of the one statement of a kind. */
function statement(rules: readonly ForwardRule[], name: string, kind: string): unknown {
  const found = chain(rules, name).flat().filter((each) => kind in each);
  assert.equal(found.length, 1, `${name}: ${kind}`);
  return found[0]![kind];
}

Deno.test("forwardTransaction() leads a port to another one of the target", () => {
  assert.deepEqual(statement([WEB], "in", "dnat"), { family: "ip", addr: "192.168.122.5", port: 80 });
  assert.deepEqual(statement([WEB], "way", "mangle"), {
    key: { meta: { key: "mark" } },
    value: NAMES.mark,
  });
  assert.deepEqual(statement([WEB], "deliver", "fwd"), {
    dev: "virbr0",
    family: "ip",
    addr: { payload: { protocol: "ip", field: "daddr" } },
  });
  assert.match(JSON.stringify(chain([WEB], "here")), /127\.0\.0\.0/);
  assert.doesNotMatch(JSON.stringify(chain([WEB], "in")), /127\.0\.0\.0/);
});

Deno.test("forwardTransaction() keeps a range's numbers, or moves each by as much", () => {
  const range = { ...WEB, from: 5000, to: 5002 };
  assert.deepEqual(statement([{ ...range, targetFrom: 5000 }], "in", "dnat"), {
    family: "ip",
    addr: "192.168.122.5",
  });
  assert.deepEqual(statement([{ ...range, targetFrom: 6000 }], "in", "dnat"), {
    family: "ip",
    addr: "192.168.122.5",
    port: {
      map: {
        key: { payload: { protocol: "tcp", field: "dport" } },
        data: { set: [[5000, 6000], [5001, 6001], [5002, 6002]] },
      },
    },
  });
  assert.match(JSON.stringify(chain([{ ...range, targetFrom: 6000 }], "way")), /\{"range":\[6000,6002\]\}/);
});

Deno.test("forwardTransaction() speaks IPv6 of IPv6", () => {
  const six: ForwardRule = {
    ...WEB,
    family: 6,
    target: "fd00::5",
    subnet: { address: "fd00::", prefix: 64 },
    hostAddress: "2001:db8::1",
  };
  const text = JSON.stringify(commands([six]).filter(({ add }) => add?.rule));
  assert.match(text, /"ip6"/);
  assert.doesNotMatch(text, /"ip"|ipv4|127\.0/);
  assert.match(text, /2001:db8::1/);
});

Deno.test("forwardTransaction() without rules removes both tables and makes nothing", () => {
  const all = commands([]);
  assert.deepEqual(all.map((each) => Object.keys(each)[0]), ["add", "delete", "add", "delete"]);
  assert.ok(all.every((each) => each.add?.table || each.delete?.table));
});

const ports = fc.tuple(fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 0, max: 30 }));
const rule: fc.Arbitrary<ForwardRule> = fc.record({
  id: fc.uuid(),
  family: fc.constant(4 as const),
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  hostAddress: fc.option(fc.ipV4(), { nil: undefined }),
  ports,
  target: fc.ipV4(),
  targetFrom: fc.integer({ min: 1, max: 65_000 }),
  bridge: fc.stringMatching(/^[A-Za-z0-9_.-]{1,15}$/),
  subnet: fc.record({ address: fc.ipV4(), prefix: fc.integer({ min: 8, max: 32 }) }),
}).map(({ ports: [from, more], ...rest }) => ({ ...rest, from, to: from + more }));

Deno.test("forwardTransaction() names no table, and gives no forward, but ours", () => {
  fc.assert(fc.property(fc.array(rule, { minLength: 1, maxLength: 8 }), (rules) => {
    for (const command of commands(rules)) {
      const [object] = Object.values(command) as Record<string, Record<string, NftJson>>[];
      const [[kind, value]] = Object.entries(object!) as [[string, Record<string, NftJson>]];
      assert.equal(kind === "table" ? value.name : value.table, NAMES.table);
      assert.ok(value.family === "inet" || value.family === "netdev");
    }
    // Every forward is translated for who comes from outside and from here, and led past the bridge's rules, once.
    for (const name of ["in", "here", "way"]) assert.equal(chain(rules, name).length, rules.length);
  }));
});

Deno.test("forwardTransaction() removes what was there before it makes anything", () => {
  fc.assert(fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
    const all = commands(rules);
    const lastDelete = all.findLastIndex((each) => each.delete);
    const firstChain = all.findIndex(({ add }) => add?.chain || add?.rule);
    assert.ok(firstChain < 0 || lastDelete < firstChain);
  }));
});

Deno.test("tableOf() is the same whatever nft counts and numbers", () => {
  const listing = (handle: number, packets: number) =>
    JSON.stringify({
      nftables: [
        { metainfo: { version: `1.0.${handle}` } },
        { rule: { handle, expr: [{ counter: { packets, bytes: 1 } }, { accept: null }] } },
      ],
    });
  assert.equal(tableOf(listing(1, 5)), tableOf(listing(2, 900)));
  assert.notEqual(tableOf(listing(1, 5)), tableOf(JSON.stringify({ nftables: [] })));
  assert.throws(() => tableOf("{}"), TypeError);
});
