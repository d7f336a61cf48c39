import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { KEPT_SECRET } from "../../contract/cloud_init_bounds.ts";
import {
  checkNetworkConfig,
  checkUserData,
  readYaml,
  withoutCloudInitSecrets,
  withSecretsOf,
  YamlFault,
} from "./yaml.ts";

const SOURCE = `#cloud-config
# who may log in
users:
  - name: ann # the first
    hashed_passwd: $6$salt$topsecret
  - name: bob
    plain_text_passwd: 'topsecret'
chpasswd:
  expire: false
  users:
    - name: root
      password: topsecret
      type: text
  list: |
    bob:topsecret
ssh_keys:
  ed25519_private: |
    -----BEGIN OPENSSH PRIVATE KEY-----
    topsecret
packages: [nginx]
`;

Deno.test("withoutCloudInitSecrets() hides every secret and keeps the rest, comments too", () => {
  const hidden = withoutCloudInitSecrets(SOURCE);
  assert.ok(!hidden.includes("topsecret"), hidden);
  assert.match(hidden, /^#cloud-config\n/);
  assert.match(hidden, /# who may log in/);
  assert.match(hidden, /name: ann # the first/);
  const value = parse(hidden);
  assert.equal(value.users[0].hashed_passwd, KEPT_SECRET);
  assert.deepEqual(value.chpasswd.users, [{ name: "root", password: KEPT_SECRET, type: "text" }]);
  assert.equal(value.chpasswd.expire, false);
  assert.deepEqual(value.packages, ["nginx"]);
});

Deno.test("withoutCloudInitSecrets() leaves a document without secrets as it is", () => {
  const source = "#cloud-config\n\n\npackages:   [ nginx ]   # odd\n";
  assert.equal(withoutCloudInitSecrets(source), source);
});

Deno.test("withSecretsOf() puts back what withoutSecrets() hid, in a document that was changed too", () => {
  assert.deepEqual(parse(withSecretsOf(withoutCloudInitSecrets(SOURCE), SOURCE)), parse(SOURCE));
  const changed = withoutCloudInitSecrets(SOURCE).replace("nginx", "apache2");
  assert.deepEqual(parse(withSecretsOf(changed, SOURCE)), { ...parse(SOURCE), packages: ["apache2"] });
  checkUserData(withSecretsOf(changed, SOURCE));
});

Deno.test("withSecretsOf() refuses to keep a secret that was not there", () => {
  const source = `#cloud-config\npassword: "${KEPT_SECRET}"\n`;
  assert.throws(() => withSecretsOf(source, SOURCE), /at password, where no secret was before/);
  assert.throws(() => withSecretsOf(source, undefined), YamlFault);
});

Deno.test("checkUserData() takes cloud-config alone, and says in which line it is wrong without quoting it", () => {
  for (const good of ["#cloud-config\n", "#cloud-config", "#cloud-config \r\na: 1\r\n", SOURCE]) {
    checkUserData(good);
  }
  const faults: readonly [string, RegExp][] = [
    ["", /#cloud-config/],
    ["#!/bin/sh\n", /#cloud-config/],
    ["\n#cloud-config\n", /#cloud-config/],
    ["#cloud-config\n- a\n", /mapping/],
    ["#cloud-config\na: [topsecret\nb: c\n", /line \d+, column \d+/],
    ["#cloud-config\na: 1\na: 2\n", /DUPLICATE_KEY.*line 3/],
    ["#cloud-config\na: 1\n---\nb: 2\n", /more than one document/],
    [`#cloud-config\na: ${"x".repeat(65_536)}\n`, /at most 65536 bytes/],
    [`#cloud-config\na: ${"ä".repeat(40_000)}\n`, /at most 65536 bytes/],
    [`#cloud-config\na: ${"[".repeat(60_000)}\n`, /nested|YAML/],
  ];
  for (const [source, expected] of faults) {
    assert.throws(() => checkUserData(source), (error) => {
      assert.ok(error instanceof YamlFault, String(error));
      assert.match(error.message, expected);
      assert.ok(!error.message.includes("topsecret"));
      return true;
    }, source.slice(0, 40));
  }
});

Deno.test("readYaml() does not let aliases of aliases fill the memory", () => {
  const levels = Array.from(
    { length: 12 },
    (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(", ")}]`,
  );
  assert.throws(() => readYaml(`l0: &l0 [x]\n${levels.join("\n")}\n`), /too many aliases/);
  assert.deepEqual(readYaml("a: &a [1]\nb: *a\n"), { a: [1], b: [1] });
});

Deno.test("checkUserData() and withoutCloudInitSecrets() end with a document or a fault for any text", () => {
  const text = fc.array(
    fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a ",
      "!!x ",
      "|",
      ">",
      "'",
      '"',
      "#",
      "%",
      "password",
      "\t",
      "?",
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(text, (parts) => {
      for (const run of [checkUserData, withoutCloudInitSecrets, checkNetworkConfig]) {
        try {
          run(`#cloud-config\n${parts.join("")}`);
        } catch (error) {
          assert.ok(error instanceof YamlFault, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("checkNetworkConfig() takes version 2, with or without `network`", () => {
  checkNetworkConfig("version: 2\nethernets: {}\n");
  checkNetworkConfig("network:\n  version: 2\n");
  for (const bad of ["", "version: 1\n", "[]", "network: {}"]) {
    assert.throws(() => checkNetworkConfig(bad), YamlFault, bad);
  }
});

Deno.test("checkUserData() refuses lists of which cloud-init would drop everything", () => {
  const user = (rest: string) => `#cloud-config\n${rest}`;
  const bad: [string, RegExp][] = [
    ["runcmd:\n  - echo one\n  - echo note: two\n", /runcmd\.1 a mapping.*quotes/],
    ["bootcmd:\n  - curl -H Accept: text http://x\n", /bootcmd\.0 a mapping/],
    ["runcmd:\n  - 5\n", /runcmd\.0 no text/],
    ["runcmd: echo one\n", /list at runcmd/],
    ["runcmd:\n  - [echo, {a: b}]\n", /runcmd\.0/],
    ["ssh_authorized_keys:\n  - ssh-ed25519 AAAA key: of ann\n", /ssh_authorized_keys\.0 a mapping/],
    ["users:\n  - name: ann\n    ssh_authorized_keys:\n      - a: b\n", /users\.0\.ssh_authorized_keys\.0/],
  ];
  for (const [text, reason] of bad) {
    assert.throws(() => checkUserData(user(text)), (error) => {
      assert(error instanceof YamlFault, String(error));
      assert.match(error.message, reason);
      return true;
    }, text);
  }
  for (
    const text of [
      "runcmd:\n  - 'echo note: two'\n  - [sh, -c, 'a: b', 5]\n  - null\n  - |\n    echo a: b\n",
      "runcmd: null\n",
      "runcmd:\n  - echo http://x:80/\n",
      "ssh_authorized_keys:\n  - ssh-ed25519 AAAA ann@host:x\nusers:\n  - default\n",
      "",
    ]
  ) checkUserData(user(text));
});
