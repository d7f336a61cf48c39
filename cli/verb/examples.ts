/** Examples of each verb: where its table has none, made of its places and what it needs. */
import type { Verb } from "./find.ts";
import { optionsOf } from "./options.ts";
import { positionalsOf } from "./places.ts";

/** Names in examples, by the field they stand for. */
const NAMES: Readonly<Record<string, string>> = {
  vmId: "web1",
  vmIds: "web1 web2",
  pool: "default",
  volume: "disk.qcow2",
  name: "lab",
  userId: "ann",
  tokenId: "backup",
  role: "auditor",
  target: "vda",
  mac: "52:54:00:12:34:56",
  jobId: "3f2a",
  sessionId: "81c4",
  id: "5b1e",
  enabled: "yes",
  days: "30",
  sshKeys: "'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@laptop'",
  autostart: "yes",
};

/** Lines that can be typed. */
export function examplesOf(verb: Verb): readonly string[] {
  const { command, words } = verb;
  if (command.examples) return command.examples;
  const places = positionalsOf(verb).map(({ field, choices }) =>
    choices?.[0] ?? NAMES[field] ?? field.toUpperCase()
  );
  let secrets = 0;
  const needed = optionsOf(verb).filter(({ required }) => required).map(
    ({ flag, kind, choices, secret, path }) => {
      if (kind === "boolean") return `--${flag}`;
      // Standard input can be only one of them
      if (secret) return secrets++ === 0 ? `--${flag} -` : `--${flag}-file ${flag}.txt`;
      return `--${flag} ${
        kind === "json" ? "'{…}'" : choices?.[0] ?? NAMES[path.at(-1)!] ?? flag.toUpperCase()
      }`;
    },
  );
  const line = ["kvm-manager", ...words, ...places, ...needed].join(" ");
  return command.readOnly ? [line, `${line} -o json`] : [command.destroys ? `${line} --yes` : line];
}
