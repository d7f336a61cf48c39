/** Every parser with the worst input of the largest size that is accepted: its time may grow as the input does, no faster. */
import assert from "node:assert/strict";
import { sshKeyFault } from "./vm/cloud_init/ssh_key.ts";
import { checkUserData, readYaml, withoutCloudInitSecrets, YamlFault } from "./vm/cloud_init/yaml.ts";
import { COMMANDS } from "./contract/mod.ts";
import { schemaRefusals } from "./contract/refusal.ts";
import { Compile } from "./typebox/compile.ts";
import { MAX_XML } from "./contract/manage.ts";
import { MOST_YAML_BYTES } from "./contract/cloud_init_bounds.ts";
import { parseListQuery } from "./vm/list_query.ts";
import { isCanonical } from "./text/byte_text.ts";
import { fuzzyMatch } from "./text/fuzzy.ts";
import { looksLikeQcow2, readQcow2Header } from "./formats/qcow2/qcow2_header.ts";
import { HEAD_BYTES, readImageHead } from "./formats/qcow2/head.ts";
import { checksumOf } from "./image/checksums.ts";
import { readIso } from "./formats/iso9660/read.ts";
import { parseAddress, parseSubnet } from "./formats/ip/cidr.ts";
import { tableOf } from "./formats/nft/json.ts";
import { escapeXml, parseXml, unescapeXml } from "./formats/xml/tree.ts";
import { XmlDocument } from "./formats/xml/edit.ts";
import { readDomain, refusedOutright } from "./formats/xml/trial.ts";

/** So much of a repeated piece. */
const fill = (size: number, piece: (index: number) => string, head = "", tail = ""): string => {
  const pieces: string[] = [];
  let length = head.length + tail.length;
  for (let index = 0;; index++) {
    const next = piece(index);
    if ((length += next.length) > size) return head + pieces.join("") + tail;
    pieces.push(next);
  }
};

/** A parser: its largest input, what it does with one, and inputs that are hard for parsers of its kind. */
interface Parser {
  readonly most: number;
  readonly run: (text: string) => unknown;
  readonly inputs: Readonly<Record<string, (size: number) => string>>;
}

const MIB = 1024 * 1024;
/** Milliseconds that a list of the largest body may take: it is passed over once or twice. Quadratic, it takes an hour. */
const LIST_MS = 5000;
const yaml: Parser["inputs"] = {
  keys: (size) => fill(size, (index) => `k${index}: 1\n`, "#cloud-config\n"),
  flowKeys: (size) => fill(size, (index) => `k${index},`, "#cloud-config\n{", "}"),
  set: (size) => fill(size, (index) => `k${index},`, "#cloud-config\n!!set {", "}"),
  omap: (size) => fill(size, (index) => `- k${index}: 1\n`, "#cloud-config\n--- !!omap\n"),
  secrets: (size) => fill(size, () => "a,", "#cloud-config\npasswd: [", "]"),
  anchors: (size) => fill(size, (index) => `- &a${index} *a${index ? index - 1 : 0}\n`, "#cloud-config\n"),
  depth: (size) => fill(size, () => "[", "#cloud-config\n"),
  merges: (size) => fill(size, (index) => ` k${index}: *a\n`, "#cloud-config\na: &a {x: 1}\nb:\n"),
};
const xml: Parser["inputs"] = {
  attributes: (size) => fill(size, (index) => ` a${index}=''`, "<domain", "/>"),
  elements: (size) => fill(size, () => "<a/>", "<domain>", "</domain>"),
  depth: (size) => fill(size / 2, () => "<a>") + fill(size / 2, () => "</a>"),
  open: (size) => fill(size, () => "<"),
  comments: (size) => fill(size, () => "<!--", "<domain>"),
  sections: (size) => fill(size, () => "<![CDATA[", "<domain>"),
  entities: (size) => fill(size, () => "&", "<domain>", "</domain>"),
  quotes: (size) => fill(size, () => "='", "<domain a"),
  blanks: (size) => fill(size, () => " ", "<domain", "x"),
  blanksInText: (size) => fill(size, () => " \n", "<domain>", "</domain>"),
  encoding: (size) => fill(size, () => "encoding = ", "<?xml "),
};

/**
 * Runs a parser on bad input: an error of its own is an answer, a RangeError or a thrown value that is no Error fails.
 */
function answers(run: (text: string) => unknown): (text: string) => void {
  return (text) => {
    try {
      run(text);
    } catch (error) {
      assert.ok(error instanceof Error && !(error instanceof RangeError), String(error));
    }
  };
}

const iso = (size: number): string => {
  // A root folder over the whole image, with records that all name the whole image
  const image = new Uint8Array(Math.max(20 * 2048, size));
  const root = new DataView(image.buffer, 16 * 2048);
  image.set([1, 67, 68, 48, 48, 49, 1], 16 * 2048);
  root.setUint32(156 + 2, 17, true);
  root.setUint32(156 + 10, image.length - 17 * 2048, true);
  for (let at = 17 * 2048; at + 34 <= image.length; at += 34) {
    image.set([34, 0], at);
    new DataView(image.buffer, at).setUint32(10, image.length, true);
  }
  return Array.from(image, (byte) => String.fromCharCode(byte)).join("");
};
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const PARSERS: Readonly<Record<string, Parser>> = {
  "checkUserData()": { most: MOST_YAML_BYTES, run: checkUserData, inputs: yaml },
  "withoutCloudInitSecrets()": { most: MOST_YAML_BYTES, run: withoutCloudInitSecrets, inputs: yaml },
  "readYaml()": { most: MOST_YAML_BYTES, run: readYaml, inputs: yaml },
  "refusedOutright()": { most: MAX_XML, run: refusedOutright, inputs: xml },
  "readDomain()": { most: MAX_XML, run: readDomain, inputs: xml },
  "parseXml()": { most: MAX_XML, run: parseXml, inputs: xml },
  "escapeXml()": {
    most: MIB,
    run: (text) => unescapeXml(escapeXml(text)),
    inputs: { halves: (size) => fill(size, () => "\ud800"), entities: (size) => fill(size, () => "&#") },
  },
  "XmlDocument.setAttribute()": {
    most: MAX_XML,
    run: (text) => {
      const document = new XmlDocument(text);
      document.setAttribute(document.root, "id", "1");
      document.setText(document.root, "x");
    },
    inputs: {
      blanks: (size) => fill(size, () => " ", "<domain", "/>"),
      blanksBetween: (size) => fill(size, (index) => `${" ".repeat(200)}a${index}='1'`, "<domain", "/>"),
      blanksQuoted: (size) => fill(size, () => " ", "<domain a='", "'></domain>"),
    },
  },
  "checksumOf()": {
    most: MIB,
    run: (text) => checksumOf(text, "image", "SHA256SUMS"),
    inputs: {
      bsd: (size) => fill(size, () => ") = a", "SHA256 ("),
      hex: (size) => fill(size, () => "a"),
      blanks: (size) => fill(size, () => " ", "a".repeat(64), "x"),
      lines: (size) => fill(size, () => `${"a".repeat(64)}  image\n`),
    },
  },
  "sshKeyFault()": {
    most: 16_384,
    run: sshKeyFault,
    inputs: {
      blanks: (size) => fill(size, () => " ", "ssh-rsa", "x"),
      base64: (size) => fill(size, () => "AAAA", "ssh-rsa "),
    },
  },
  "parseAddress(), parseSubnet()": {
    most: 64 * 1024,
    run: (text) => [parseAddress(text), parseSubnet(text)],
    inputs: {
      colons: (size) => fill(size, () => ":"),
      groups: (size) => fill(size, () => "1:"),
      digits: (size) => fill(size, () => "1"),
      dots: (size) => fill(size, () => "1."),
      prefix: (size) => fill(size, () => "1", "10.0.0.0/"),
    },
  },
  "parseListQuery()": {
    most: 64 * 1024,
    run: (text) => parseListQuery(new URLSearchParams(text)),
    inputs: {
      repeated: (size) => fill(size, () => "tag=a&q=b&"),
      blanks: (size) => fill(size, () => "+", "q="),
    },
  },
  "fuzzyMatch()": {
    most: 2048,
    run: (text) => fuzzyMatch("a".repeat(64), text),
    inputs: { same: (size) => fill(size, () => "a"), other: (size) => fill(size, () => "ab") },
  },
  "tableOf()": {
    most: MIB,
    run: (text) => tableOf(text),
    inputs: {
      rules: (size) => fill(size, () => '{"rule":{"handle":1}},', '{"nftables":[', "{}]}"),
    },
  },
  "readImageHead(), readQcow2Header()": {
    most: HEAD_BYTES,
    run: (text) => {
      const head = latin1(text);
      readImageHead(head);
      if (looksLikeQcow2(head)) readQcow2Header(head);
    },
    inputs: {
      extensions: (size) =>
        fill(size, () => "\x12\x34\x56\x78\0\0\0\0", "QFI\xfb\0\0\0\x03" + "\0".repeat(92) + "\0\0\0\x70"),
      vmdk: (size) => fill(size, () => "\n ", "# Disk DescriptorFile\n"),
    },
  },
  "isCanonical()": {
    most: MIB,
    run: (text) => isCanonical(text),
    inputs: {
      spelled: (size) => fill(size, () => "\ufffdff"),
      ambiguous: (size) => fill(size, () => "\ufffdef\ufffdbf\ufffdbdff"),
      one: (size) => fill(size, () => "€", "\ufffdff"),
    },
  },
  "readIso()": { most: MIB, run: (text) => readIso(latin1(text)), inputs: { records: iso } },
  "JSON.parse()": {
    most: MIB,
    run: (text) => JSON.parse(text),
    inputs: { keys: (size) => fill(size, (index) => `"k${index}":1,`, "{", '"z":0}') },
  },
};

/** Fastest of some runs, in milliseconds: what other processes take is in none of them all. */
function fastest(run: () => void, runs = 3): number {
  let best = Infinity;
  for (let count = 0; count < runs; count++) {
    const begun = performance.now();
    run();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

/** Tries of one measurement: a busy machine slows some of them, work that grows too fast slows each. */
const TRIES = 6;

/** Less is no trouble, however it grows; and what a slow machine needs more. */
const FREE_MS = 60;
/** Four times as much may take this many times as long; quadratic work takes 16 times. */
const MOST_GROWTH = 10;

for (const [name, { most, run, inputs }] of Object.entries(PARSERS)) {
  for (const [kind, input] of Object.entries(inputs)) {
    Deno.test(`${name} takes no longer than its input is long: ${kind}`, () => {
      const parse = answers(run);
      const whole = input(most), quarter = input(most / 4);
      let long = 0, short = 0;
      const isFine = Array.from({ length: TRIES }).some(() => {
        long = fastest(() => parse(whole));
        // Everything refused at once is quick; what is accepted is compared with a quarter of it.
        if (long < FREE_MS) return true;
        short = fastest(() => parse(quarter));
        return long < short * MOST_GROWTH;
      });
      assert.ok(isFine, `${most} characters took ${long} ms, a quarter of them ${short} ms`);
    });
  }
}

Deno.test("a YAML document of too many entries is refused, with the number", () => {
  assert.throws(() => readYaml("a\n".repeat(10_001)), (error) => {
    assert.ok(error instanceof YamlFault);
    assert.match(error.message, /at most 10000 lines and commas, and has 10001/);
    return true;
  });
});

/** Inputs that have one thing again and again, as often as a body has room for it, where a schema has a list. */
function* overfull(schema: unknown): Generator<unknown> {
  const { type, items, properties, anyOf } = schema as Schema;
  if (type === "array") {
    yield Array(MIB / 2).fill(1);
    for (const item of overfull(items)) yield [item];
  }
  for (const [name, field] of Object.entries(properties ?? {})) {
    for (const value of overfull(field)) yield { [name]: value };
  }
  for (const each of (anyOf as unknown[] | undefined) ?? []) yield* overfull(each);
}

Deno.test("a list with one thing again and again, where all must differ, is refused at once", () => {
  let count = 0;
  for (const [name, { input }] of Object.entries(COMMANDS)) {
    const validator = Compile(input);
    for (const value of overfull(input)) {
      count++;
      const started = performance.now();
      assert.equal(validator.Check(value), false, name);
      const [error] = validator.Errors(value), ms = performance.now() - started;
      assert.match(error!.message, /must not have more than \d+ items/, name);
      assert.ok(ms < LIST_MS, `${name} takes ${ms} ms for ${JSON.stringify(value).slice(0, 60)}`);
    }
  }
  assert.ok(count > 40, "too few lists were found: the test looks in the wrong place");
});

/** An object of the largest body, of fields that no command has. */
const FLOOD: unknown = Object.fromEntries(
  Array.from({ length: 60_000 }, (_, index) => [`key${index}`, index]),
);
/** Milliseconds that fields which no command has may take: they are counted, and no more. */
const FLOOD_MS = 400;

Deno.test("fields without number that a command does not have are refused at once, wherever they stand", () => {
  for (const [name, { input }] of Object.entries(COMMANDS)) {
    const validator = Compile(input), { properties = {} } = input as unknown as Schema;
    const parts = Object.entries(properties as object).filter(([, field]) =>
      field.properties || field.items || field.anyOf
    );
    for (const value of [FLOOD, ...parts.map(([field]) => ({ [field]: FLOOD }))]) {
      let ms = 0;
      const isFine = Array.from({ length: TRIES }).some(() =>
        (ms = fastest(() => assert.ok(schemaRefusals(input, validator, value).length > 0), 1)) < FLOOD_MS
      );
      assert.ok(isFine, `${name} takes ${ms} ms for ${JSON.stringify(value).slice(0, 60)}`);
    }
  }
});

interface Schema {
  readonly pattern?: unknown;
  readonly maxLength?: unknown;
  readonly [key: string]: unknown;
}

/** Every text with a pattern below a schema. */
function* patterns(schema: unknown): Generator<{ pattern: string; maxLength: number }> {
  if (typeof schema !== "object" || schema === null) return;
  const { pattern, maxLength } = schema as Schema;
  if (typeof pattern === "string") {
    yield { pattern, maxLength: typeof maxLength === "number" ? maxLength : MIB };
  }
  for (const value of Object.values(schema)) yield* patterns(value);
}

Deno.test("patterns of the contract answer any text of the largest size at once", () => {
  const found = new Map<string, number>();
  for (const { input } of Object.values(COMMANDS)) {
    for (const { pattern, maxLength } of patterns(input)) {
      found.set(pattern, Math.max(found.get(pattern) ?? 0, maxLength));
    }
  }
  assert.ok(found.size > 20, "too few patterns were found: the test looks in the wrong place");
  for (const [pattern, maxLength] of found) {
    const expression = new RegExp(pattern, "u");
    for (
      const piece of [
        "a",
        "0",
        "-",
        ".",
        ":",
        "/",
        " ",
        "_",
        "a-",
        "0.",
        "a:",
        "a/",
        "ab ",
        "0:0",
        "../",
        "A9",
        "%",
        "a,",
      ]
    ) {
      const text = `${fill(Math.min(maxLength, 100_000) - 1, () => piece)}!`;
      let ms = 0;
      const isFine = Array.from({ length: TRIES }).some(() =>
        (ms = fastest(() => void expression.test(text))) < FREE_MS
      );
      assert.ok(
        isFine,
        `${pattern} takes ${ms} ms for ${text.length} characters of ${JSON.stringify(piece)}`,
      );
    }
  }
});
