import assert from "node:assert/strict";
import { COMMANDS, ContractError } from "../contract/mod.ts";
import { useZone } from "../i18n/locale.ts";
import { targetFields } from "../network/forwards/describe.ts";
import { FORM_PLACES } from "./form_href.ts";
import { formField, formInput, requireBounded } from "./form_input.ts";
import { nameUnless } from "./form_names.ts";
import type { FieldSchema } from "./values.ts";

type Name = keyof typeof COMMANDS;
const read = (command: Name, ...form: [string, FormDataEntryValue][]) => formInput(COMMANDS[command], form);
const refusal = (command: Name, ...form: [string, FormDataEntryValue][]): ContractError => {
  try {
    read(command, ...form);
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error;
  }
  assert.fail("it was taken");
};

Deno.test("formInput() reads numbers, switches, sizes and texts by the schema, and leaves out what is empty", () => {
  assert.deepEqual(read("update_audit_retention", ["days", " 90 "], ["entries", "1000"]), {
    days: 90,
    entries: 1000,
  });
  assert.deepEqual(read("set_autostart", ["vmId", "u"], ["autostart", "true"]), {
    vmId: "u",
    autostart: true,
  });
  assert.deepEqual(read("set_image_policy", ["maxImageGb", "1T"]), { maxImageGb: 1024 });
  for (
    const [typed, threshold] of [["90 %", 90], ["2 GiB", 2 ** 31], ["10M/s", 10 * 2 ** 20], [
      "1.5 ms",
      1.5,
    ]] as const
  ) {
    assert.deepEqual(read("update_alert", ["alertId", "a"], ["threshold", typed]), {
      alertId: "a",
      threshold,
    });
  }
  const rates = [
    ["inboundAverage", "100Mbit", 12_500],
    ["inboundPeak", "1.5 Gbit/s", 187_500],
    ["outboundAverage", "12500", 12_500],
    ["outboundAverage", "1kbit", 1],
    ["outboundAverage", "0", 0],
    ["outboundBurst", "1M", 1024],
    ["outboundBurst", "512", 512],
  ] as const;
  for (const [field, typed, value] of rates) {
    assert.deepEqual(read("update_nic", ["vmId", "u"], ["mac", "m"], [field, typed]), {
      vmId: "u",
      mac: "m",
      [field]: value,
    });
  }
  assert.match(
    refusal("update_nic", ["inboundAverage", "much"]).message,
    /inboundAverage must be a rate like 100Mbit, or a number of kilobytes per second/,
  );
  const limits = [["readBytesSec", "50M"], ["totalBytesSecMax", "1G"], ["readBytesSecMaxLength", "30"]];
  assert.deepEqual(read("update_disk", ["vmId", "u"], ["target", "vda"], ...limits as [string, string][]), {
    vmId: "u",
    target: "vda",
    readBytesSec: 50 * 2 ** 20,
    totalBytesSecMax: 2 ** 30,
    readBytesSecMaxLength: 30,
  });
  assert.match(
    refusal("update_alert", ["alertId", "a"], ["threshold", "2 apples"]).message,
    /threshold must be a number like 90, or a size like 2G/,
  );
  assert.deepEqual(read("update_template", ["templateId", "t"], ["description", ""], ["name", ""]), {
    templateId: "t",
    description: "",
  });
  assert.deepEqual(read("add_port_forward", ["description", ""], ["hostPort", "80"]), { hostPort: 80 });
});

Deno.test("formInput() cuts a program from its arguments, where they are typed in one line", () => {
  const line = (typed: string) => read("guest_exec_task", ["vmId", "u"], ["command", typed]);
  assert.deepEqual(line(" sh -c 'echo  a a' a a "), {
    vmId: "u",
    command: "sh",
    args: ["-c", "echo  a a", "a", "a"],
  });
  assert.deepEqual(line("uptime"), { vmId: "u", command: "uptime" });
  assert.deepEqual(line("  "), { vmId: "u", command: "" });
  const { details } = refusal("guest_exec_task", ["vmId", "u"], ["command", "echo 'a"]).toJSON();
  assert.deepEqual(details, { reason: "command has a quote that is not closed", field: "command" });
});

Deno.test("formInput(): the box behind a hidden field wins; a required one that is not there is no", () => {
  assert.deepEqual(read("update_user", ["userId", "u"], ["disabled", "no"], ["disabled", "yes"]), {
    userId: "u",
    disabled: true,
  });
  assert.deepEqual(read("update_user", ["userId", "u"], ["disabled", "no"]), {
    userId: "u",
    disabled: false,
  });
  assert.deepEqual(read("set_autostart", ["vmId", "u"]), { vmId: "u", autostart: false });
  assert.deepEqual(read("create_role", ["role", "x"]).permissions, [], "no box of a list is ticked");
});

Deno.test("formInput() separates the values of a list only by what none of them can have", () => {
  assert.deepEqual(read("set_tags", ["vmId", "u"], ["tags", " web,  prod\r\nweb "]).tags, ["web", "prod"]);
  assert.deepEqual(read("set_tags", ["vmId", "u"], ["tags", ""]).tags, []);
  const disks = ["/a, b.img", "/c\nd.img"];
  assert.deepEqual(
    read("delete_vm", ["vmId", "u"], ...disks.map((path): [string, string] => ["disks", path])).disks,
    disks,
  );
});

Deno.test("formInput() reads parts and rows by their path", () => {
  const lease = { ip: "10.0.0.9", mac: "52:54:00:11:22:33" };
  assert.deepEqual(
    read("update_network_dhcp", ["name", "n"], ["add.0.ip", ` ${lease.ip} `], ["add.0.mac", lease.mac], [
      "add.0.hostname",
      "",
    ]),
    { name: "n", add: [lease] },
  );
});

Deno.test("formInput() reads a bare number in the unit that its form names, and an empty part is left out", () => {
  const GIB = 1024 ** 3,
    create = (...form: [string, string][]) => read("create_volume", ["pool", "p"], ...form);
  for (
    const [typed, bytes] of [["20", 20 * GIB], ["1,5", 1.5 * GIB], ["0.1", 107_374_182], [
      "512M",
      GIB / 2,
    ]] as const
  ) {
    assert.deepEqual(create(["capacityBytes:G", typed]), { pool: "p", capacityBytes: bytes }, typed);
  }
  assert.match(
    refusal("resize_volume", ["capacityBytes:G", "much"]).message,
    /^Invalid input: capacityBytes must be/,
  );
  assert.deepEqual(create(["capacityBytes:G", ""], ["encryption.passphrase", ""]), { pool: "p" });
  assert.deepEqual(create(["encryption.passphrase", " 8 of them "]).encryption, {
    passphrase: " 8 of them ",
  });
});

Deno.test("formInput() puts a text that several fields have in one where it fits", () => {
  const short = "a".repeat(64), long = "B".repeat(128);
  const sums = (typed: string) => read("download_image", ["url", "http://x/y"], ["sha256", typed]);
  for (
    const [typed, sum] of [
      [` ${short}  disk.img `, { sha256: short }],
      [long, { sha512: long }],
      ["https://x/SHA256SUMS", { checksumUrl: "https://x/SHA256SUMS" }],
      ["neither of them", { sha256: "neither" }],
      ["", {}],
    ] as const
  ) assert.deepEqual(sums(typed), { url: "http://x/y", ...sum }, typed);
});

Deno.test("formInput() reads a port or a range of one field", () => {
  const ports = (typed: string) => read("add_port_forward", ["protocol", "tcp"], ["hostPort", typed]);
  for (
    const [typed, found] of [
      [" 8080 ", { hostPort: 8080 }],
      ["5000 - 5010", { hostPort: 5000, hostPortEnd: 5010 }],
      ["5000–5010", { hostPort: 5000, hostPortEnd: 5010 }],
      ["5000:5010", { hostPort: 5000, hostPortEnd: 5010 }],
      ["80-80", { hostPort: 80 }],
    ] as const
  ) assert.deepEqual(ports(typed), { protocol: "tcp", ...found }, typed);
  for (const typed of ["http", "80-", "80-90-100", "1e3-2e3"]) {
    const { details } = refusal("add_port_forward", ["hostPort", typed]).toJSON();
    assert.deepEqual(details, { reason: "hostPort must be a number", field: "hostPort" }, typed);
  }
});

Deno.test("formInput() leaves out a choice that a field was filled in place of", () => {
  const target = targetFields("vm", "52:54:00:00:00:01");
  const forward = (address: string) =>
    read("add_port_forward", [nameUnless("address"), target], ["address", address]);
  assert.deepEqual(forward(""), { vmId: "vm", mac: "52:54:00:00:00:01" });
  assert.deepEqual(forward("10.0.0.5"), { address: "10.0.0.5" });
  assert.deepEqual(read("add_port_forward", [nameUnless("address"), ""]), {});
});

Deno.test("formField() finds a secret, also in a part, and all that is in a part that is one", () => {
  const schema: FieldSchema = {
    type: "object",
    properties: {
      name: { type: "string" },
      key: { type: "object", "x-secret": true, properties: { id: { type: "string" } } },
      lock: { type: "object", properties: { phrase: { type: "string", "x-secret": true } } },
      once: { type: "string", "x-secret": true, "x-one-time": true },
    },
  };
  const found = ["name", "key", "key.id", "lock", "lock.phrase", "once", "nothing.of.it"].filter((path) =>
    formField(schema, path).isSecret
  );
  assert.deepEqual(found, ["key", "key.id", "lock.phrase"]);
});

Deno.test("formInput() keeps a name and a secret as they were typed", () => {
  assert.equal(read("set_group", ["vmId", "u"], ["group", " x "]).group, " x ");
  assert.equal(read("create_role", ["role", " x "], ["description", " y "]).description, " y ");
  assert.equal(read("set_password", ["password", " a secret "]).password, " a secret ");
});

Deno.test("formInput() refuses what the command does not have, and what cannot be its value, by name", () => {
  for (
    const name of ["admin", "__proto__", "constructor.name", "add", "vmId.length", "tags.0.x", "tags.100", ""]
  ) {
    const error = refusal("set_tags", ["vmId", "u"], [name, "x"]);
    assert.equal(error.code, "InvalidInput", name);
  }
  assert.equal(({} as Record<string, unknown>).name, undefined);
  const error = refusal("update_audit_retention", ["days", "many"]);
  assert.match(error.message, /days must be a number/);
  assert.deepEqual((error.details as { field: string }).field, "days");
  assert.deepEqual(
    read("set_tags", ["vmId", "u"], ["tags", new File(["x"], "x")]).tags,
    [],
    "a file is no text",
  );
});

Deno.test("no command has a field by the name of a form's places", () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    const fields = Object.keys((command.input as FieldSchema).properties ?? {});
    for (const place of [...FORM_PLACES, "confirmed"]) {
      assert.ok(!fields.includes(place), `${name}: ${place}`);
    }
  }
});

Deno.test("a form is bounded before anything is made of it: fields, names, and parts of names", () => {
  const refusal = (names: string[]) => {
    try {
      requireBounded(names);
    } catch (error) {
      return String(error);
    }
    return undefined;
  };
  assert.equal(refusal(Array(5000).fill("disks.0.name")), undefined);
  assert.match(refusal(Array(5001).fill("a"))!, /more than 5000 fields/);
  assert.match(refusal(["a".repeat(257)])!, /longer than 256 characters/);
  assert.match(refusal([".".repeat(200)])!, /more than 16 parts/);
  const hostile = ".".repeat(32_000), started = performance.now();
  for (let count = 0; count < 5; count++) assert.equal(formField(schemaOfAll, hostile).schema, undefined);
  assert.throws(() => formInput({ input: schemaOfAll } as never, [[hostile, "x"]]), /Invalid input/);
  assert.ok(performance.now() - started < 200, "one walk");
});
/** A part in a part in a part, without an end: what a walk can be led along. */
const schemaOfAll = (() => {
  const properties: Record<string, FieldSchema> = {};
  const schema: FieldSchema = { type: "object", properties };
  properties[""] = schema;
  return schema;
})();

Deno.test("a moment that is typed is of the page's time zone", () => {
  const startsAt = (text: string, name: string) => {
    using _zone = useZone(() => name);
    return (formInput(COMMANDS.silence_alert, [["startsAt", text], ["minutes", "60"]]) as {
      startsAt?: number;
    }).startsAt;
  };
  assert.equal(startsAt("2026-12-06T02:00", "UTC"), Date.UTC(2026, 11, 6, 2));
  assert.equal(startsAt("2026-12-06T02:00", "America/New_York"), Date.UTC(2026, 11, 6, 7));
  assert.equal(
    startsAt("2026-12-06T02:00Z", "America/New_York"),
    Date.UTC(2026, 11, 6, 2),
    "a zone that is written counts",
  );
  assert.throws(() => startsAt("2026-02-31T02:00", "UTC"), /startsAt/);
});

Deno.test("formInput() reads the box that lets an address be leased", () => {
  const fields: [string, string][] = [["name", "lab"], ["add.0.ip", "192.0.2.9"], ["allowLeased", "true"]];
  assert.deepEqual(formInput(COMMANDS.update_network_dhcp, fields), {
    name: "lab",
    add: [{ ip: "192.0.2.9" }],
    allowLeased: true,
  });
});
