/** Installing and upgrading the program on this host, or into a folder that becomes one. */
import { join } from "node:path";
import { VERSION } from "../../../lib/version.ts";
import { message, render } from "../../../lib/i18n/message.ts";
import { folders, type InstallLayout, NAME, textFiles } from "../../../lib/system/install/layout.ts";
import {
  type Build,
  type InstallRecord,
  parseRecord,
  replacementRefusal,
} from "../../../lib/system/install/record.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { isTaken, textAt } from "../../machine/files.ts";
import { asOwner } from "../../store/as_owner.ts";
import { fileSha256 } from "../../machine/own_binary.ts";
import { databaseVersion, KNOWN_VERSION, savedCopies } from "../../store/database.ts";
import {
  forgetSaved,
  InstallError,
  type InstallStep,
  makeFolder,
  putFile,
  runSteps,
  type Say,
  type Undo,
} from "./steps.ts";
import { credentialSteps } from "./credential.ts";
import { account, changeOwner, hasSystemd, makeAccount, systemctl } from "./system.ts";

/** Files and folders of an installation, and its root. */
export interface InstallTarget {
  readonly layout: InstallLayout;
  /** Folder that stands for `/`; empty for this host itself, which alone gets accounts and a running service. */
  readonly root: string;
  /** The package manager puts the files: only what it does not do is done. */
  readonly isPackage: boolean;
  /** Whether the service is started. */
  readonly start: boolean;
  /** Listen address in new settings; existing ones stay. Undefined: on loopback. */
  readonly listen?: string | undefined;
}

/** The place of a path in the target. */
export const pathBelowRoot = ({ root }: Pick<InstallTarget, "root">, path: string): string =>
  root === "" ? path : join(root, path);

/** Record of the installation in the target. */
export async function installed(
  target: Pick<InstallTarget, "root" | "layout">,
): Promise<InstallRecord | undefined> {
  return parseRecord(await textAt(pathBelowRoot(target, target.layout.record)) ?? "");
}

/** This program as a build. */
async function thisBuild(binary: string): Promise<Build> {
  return { version: VERSION, database: KNOWN_VERSION, sha256: await fileSha256(binary) };
}

/** @throws {InstallError} when the database there is newer than a build knows */
async function refuseOlder(target: InstallTarget, build: Pick<Build, "version" | "database">): Promise<void> {
  const folder = pathBelowRoot(target, target.layout.dataDir);
  const why = await asOwner(
    folder,
    async () => replacementRefusal(build, databaseVersion(folder), await savedCopies(folder)),
  );
  if (why !== null) throw new InstallError(why);
}

/** Puts a copy of a file in its place. */
const copied = (from: string) => (to: string) => Deno.copyFile(from, to);

function binarySteps(
  target: InstallTarget,
  binary: string,
  build: Build,
  was: InstallRecord | undefined,
): InstallStep[] {
  const { layout } = target;
  const place = pathBelowRoot(target, layout.binary), previous = pathBelowRoot(target, layout.previous);
  const isOther = was !== undefined && was.sha256 !== build.sha256;
  const record: InstallRecord = isOther
    ? {
      ...build,
      previous: { version: was.version, database: was.database, sha256: was.sha256 },
    }
    : { ...build, ...(was?.previous && { previous: was.previous }) };
  const keep: InstallStep = {
    what: message`previous program ${layout.previous}`,
    run: () => putFile(previous, 0o755, copied(place)),
  };
  return [
    ...(isOther && !target.isPackage ? [keep] : []),
    ...(target.isPackage
      ? []
      : [{ what: message`program ${layout.binary}`, run: () => putFile(place, 0o755, copied(binary)) }]),
    {
      what: message`note ${layout.record}`,
      run: () =>
        putFile(
          pathBelowRoot(target, layout.record),
          0o644,
          (path) => Deno.writeTextFile(path, `${JSON.stringify(record)}\n`),
        ),
    },
  ];
}

function fileSteps(target: InstallTarget): InstallStep[] {
  const files = target.isPackage ? [] : textFiles(target.layout, target.listen);
  return [
    ...folders(target.layout).map(({ path, mode }): InstallStep => ({
      what: message`folder ${path}`,
      run: () => makeFolder(pathBelowRoot(target, path), mode),
    })),
    ...files.map(({ path, text, mode, kept }): InstallStep => ({
      what: path,
      run: async () => {
        const place = pathBelowRoot(target, path);
        if (kept && await isTaken(place)) return;
        return await putFile(place, mode, (staging) => Deno.writeTextFile(staging, text));
      },
    })),
  ];
}

/** The service's account, and what is its own. */
async function owners({ layout }: InstallTarget): Promise<void> {
  const found = await account();
  if (!found) throw new InstallError(render(message`the account ${NAME} was not made`));
  for (const folder of [layout.dataDir, layout.keyDir]) {
    await changeOwner(folder, found);
    await Deno.chmod(folder, 0o700);
  }
  // The settings are root's; the service may read them
  for (const [path, mode] of [[layout.configDir, 0o750], [layout.config, 0o640]] as const) {
    if (!await isTaken(path)) continue;
    await Deno.chown(path, 0, found.gid);
    await Deno.chmod(path, mode);
  }
}

/** Milliseconds in which a service that fails at its start fails. */
const SETTLE_MS = 3000;

/** @throws {InstallError} when the service does not stay up */
async function staysUp(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const state = (await systemctl("show", "--property=ActiveState", "--value", NAME)).trim();
  if (state !== "active") {
    throw new InstallError(render(message`the service is ${state}. See why: journalctl -u ${NAME} -n 50`));
  }
}

async function serviceSteps({ start }: InstallTarget, say: Say): Promise<InstallStep[]> {
  if (!await hasSystemd()) {
    const tell = () =>
      Promise.resolve(
        say(message`systemd does not run here, so nothing starts the service. By hand: ${NAME} serve`),
      );
    return [{ what: message`service`, run: tell, silent: true }];
  }
  const reload = async () => {
    await systemctl("daemon-reload");
  };
  return [{
    what: start ? message`service enabled and started` : message`service known to systemd`,
    run: async (): Promise<Undo | void> => {
      await reload();
      if (!start) return reload;
      const wasEnabled = await systemctl("is-enabled", NAME).then(() => true, () => false);
      try {
        await systemctl("enable", NAME);
        await systemctl("restart", NAME);
        await staysUp();
      } catch (error) {
        if (!wasEnabled) await systemctl("disable", "--now", NAME).catch(() => {/* it never was */});
        throw error;
      }
    },
  }];
}

/** Starts the service with what an undone upgrade put back. */
const restarting = (say: Say): InstallStep => ({
  what: message`service as it was`,
  silent: true,
  run: () =>
    Promise.resolve(async () => {
      if (!await hasSystemd()) return;
      await systemctl("daemon-reload");
      await systemctl("try-restart", NAME).catch((error) => say(message`not restarted: ${messageOf(error)}`));
    }),
});

/** @throws {InstallError} */
function needRoot({ root }: InstallTarget): void {
  if (root === "" && Deno.uid() !== 0) {
    throw new InstallError(
      "this changes the system: run it as root, or give --root DIR to install into a folder",
    );
  }
}

/**
 * Installs the binary, or brings what is installed up to it. What is there already stays; twice is as good as once.
 *
 * @param binary the file to install
 * @throws {InstallError} when it cannot be done: nothing was changed then, or what could not be undone is told
 */
export async function install(target: InstallTarget, binary: string, say: Say): Promise<Build> {
  needRoot(target);
  const build = await thisBuild(binary);
  await refuseOlder(target, build);
  const was = await installed(target);
  const { layout, root } = target;
  const isLive = root === "";
  const steps = [
    ...(isLive && was ? [restarting(say)] : []),
    ...binarySteps(target, binary, build, was),
    ...fileSteps(target),
    ...(isLive
      ? [
        { what: message`account ${NAME}`, run: () => makeAccount(layout.sysusers, layout.dataDir) },
        { what: message`owners and modes`, run: () => owners(target) },
        ...await credentialSteps(say),
        ...await serviceSteps(target, say),
      ]
      : []),
  ];
  await runSteps(steps, say);
  for (
    const path of [
      layout.binary,
      layout.previous,
      layout.record,
      ...textFiles(layout).map(({ path }) => path),
    ]
  ) {
    await forgetSaved(pathBelowRoot(target, path));
  }
  return build;
}

/**
 * Puts the program back that was there before the last upgrade.
 *
 * @throws {InstallError} when there is none, or the database is too new for it
 */
export async function rollback(target: InstallTarget, say: Say): Promise<Build> {
  needRoot(target);
  const { layout } = target;
  const place = pathBelowRoot(target, layout.binary), previous = pathBelowRoot(target, layout.previous);
  const record = await installed(target);
  if (!record?.previous || !await isTaken(previous)) {
    throw new InstallError("no program of before an upgrade is kept here: there is nothing to go back to");
  }
  const { previous: back, ...now } = record;
  await refuseOlder(target, back);
  const kept = `${previous}.now`;
  await Deno.copyFile(place, kept);
  try {
    await runSteps([
      ...(target.root === "" ? [restarting(say)] : []),
      { what: message`program ${layout.binary}`, run: () => putFile(place, 0o755, copied(previous)) },
      {
        what: message`previous program ${layout.previous}`,
        run: () => putFile(previous, 0o755, copied(kept)),
      },
      {
        what: message`note ${layout.record}`,
        run: () =>
          putFile(
            pathBelowRoot(target, layout.record),
            0o644,
            (path) => Deno.writeTextFile(path, `${JSON.stringify({ ...back, previous: now })}\n`),
          ),
      },
      ...(target.root === "" ? await serviceSteps(target, say) : []),
    ], say);
  } finally {
    await Deno.remove(kept);
  }
  for (const path of [layout.binary, layout.previous, layout.record]) {
    await forgetSaved(pathBelowRoot(target, path));
  }
  return back;
}
