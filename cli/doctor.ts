/** `kvm-manager doctor`: what this host lacks, and the command that mends it. */
import { ownHelp } from "./own_help.ts";
import { gatherFacts } from "../agent/system/doctor/gather.ts";
import { libvirtOf } from "../agent/system/doctor/handlers.ts";
import { lockedVms } from "../agent/system/lock_manager/look.ts";
import { isLocalSystem } from "../agent/machine/local_uri.ts";
import { setLogLevel } from "../agent/log.ts";
import type { LibvirtLink } from "../agent/libvirt/link.ts";
import { asOwner } from "../agent/store/as_owner.ts";
import { examine } from "../lib/system/doctor/checks.ts";
import { HEALTH_LEVELS, type HealthFinding } from "../lib/contract/health.ts";
import { message, rendered as toldFindings } from "../lib/i18n/message.ts";
import { worst } from "../lib/system/doctor/finding.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { locale } from "../lib/i18n/locale.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { optionsAlone } from "./arguments.ts";
import { hostSettings, PLACE_OPTIONS, plainOutput } from "./host_settings.ts";
import { ownLink } from "./own_link.ts";
import { parseOrExit } from "./host_verb.ts";
import { isServing } from "./environment.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { formatAnswer } from "./verb/output.ts";
import { wordHere } from "./verb/words.ts";
import stringWidth from "string-width";

const { plural, t } = textsOf(shell);

export const DOCTOR_HELP = () =>
  ownHelp({
    usage:
      "kvm-manager doctor [-o table|json|yaml] [--uri URI] [--listen HOST:PORT] [--data-dir DIR] [--runtime-dir DIR] [--config FILE]",
    about: [
      message`Examines this host: libvirt, KVM, QEMU, kernel modules, groups, firewall, storage, clock, names, ports, the program's own state and certificate. Changes nothing. Says what is wrong, and the command that mends it. Ends with 0 when all is well, 1 with warnings, 2 with problems, 64 for wrong usage.`,
    ],
  });

/** Wrong usage: sysexits.h; 2 means problems here. */
const WRONG_USAGE = 64;

type Level = HealthFinding["level"];

/** The level of a finding as a word: in capitals if it is a problem. */
const signOf = (level: Level): string =>
  level === "ok" ? wordHere(level) : wordHere(level).toLocaleUpperCase(locale());

/** Columns of the longest of these words. */
const signColumns = () => Math.max(7, ...HEALTH_LEVELS.map((level) => stringWidth(signOf(level))));

/** Columns of the area. */
const AREA = 11;

function shown({ area, level, what, advice, command }: HealthFinding): string {
  const more = [advice, command === undefined ? undefined : `# ${command}`].filter((line) =>
    line !== undefined
  );
  const columns = signColumns(), word = signOf(level);
  const sign = word + " ".repeat(columns - stringWidth(word));
  return [
    `${sign}  ${area.padEnd(AREA)}  ${what}`,
    ...more.map((line) => `${" ".repeat(columns + AREA + 4)}${line}`),
  ]
    .map(escapeControlCharacters).join("\n");
}

/** VMs and pools as libvirt tells them; linked hosts are known to the server alone. */
export async function lockSources(link: LibvirtLink) {
  const [domains, pools] = await Promise.all([link.call("domainScan"), link.call("poolScan")]);
  return { ...lockedVms(domains), pools };
}

const FLAGS = { uri: { type: "string" }, listen: { type: "string" }, ...PLACE_OPTIONS } as const;

/** Reads its arguments. @throws {Error} that says what is wrong */
export function readDoctor(args: readonly string[]) {
  const values = optionsAlone(args, { output: { type: "string", short: "o" }, ...FLAGS });
  return { format: plainOutput(values.output), settings: hostSettings(FLAGS, values) };
}

/** Runs it; the exit status says the worst that was found. */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const given = parseOrExit(WRONG_USAGE, "doctor", () => readDoctor(args));
  if (typeof given === "number") return given;
  const { settings, format } = given;
  setLogLevel("error"); // what is found is said below
  const serves = await isServing(settings.runtimeDir);
  await using held = await ownLink(settings);
  const inDataDir = <T>(run: () => Promise<T>) => asOwner(settings.dataDir, run);
  const libvirt = libvirtOf(held.link),
    locks = isLocalSystem(settings.uri) ? () => lockSources(held.link) : undefined;
  const facts = await gatherFacts({ settings, libvirt, serves, inDataDir, locks });
  const findings = toldFindings<HealthFinding[]>(examine(facts));
  if (format === "table") {
    for (const finding of findings) console.log(shown(finding));
    const counted = (level: typeof HEALTH_LEVELS[number]) =>
      findings.filter((each) => each.level === level).length;
    const parts = [
      plural("shell.problems", counted("problem")),
      plural("shell.warnings", counted("warning")),
      plural("shell.passed", counted("ok")),
    ];
    console.log(`\n${t("shell.doctor_found", { parts: parts.join(", ") })}`);
  } else {
    console.log(await formatAnswer(findings, format));
  }
  return HEALTH_LEVELS.indexOf(worst(findings));
}
