/**
 * Copying a template from one host to another: its volumes as any others, and then the template of them. Each part is a command
 * that people have, with their rights on both hosts.
 */
import { message } from "../../lib/i18n/message.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import {
  ContractError,
  type Output,
  type templateCopyCommands,
  type TemplateExport,
} from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import {
  type CommandCall,
  commandCallerOf,
  type CopyServices,
  HostCopy,
  isBroken,
  requireHostId,
  requirePoolThere,
} from "../storage/copy_to_host.ts";
import { pause } from "../within.ts";

/** Milliseconds in which the other host must say whether it has the template, and between two questions. */
const KNOWN_MS = 60_000, LOOK_MS = 1000;

/** A volume that is copied. */
interface TemplateVolume {
  readonly pool: string;
  readonly volume: string;
  /** Its name there. */
  readonly to: string;
}

/** From where to where. Hosts are ids. */
interface TemplatePlan {
  readonly from: string;
  readonly to: { readonly host: string; readonly pool: string };
  readonly name: string;
  readonly exported: TemplateExport;
  readonly disks: readonly (TemplateVolume & { readonly target: string })[];
  readonly variables: TemplateVolume | undefined;
}

/** Copies volumes one after the other. @param arrived is told of each that is there */
async function copyVolumes(
  call: CommandCall,
  { from, to, disks, variables, exported }: TemplatePlan,
  job: JobHandle,
  arrived: (volume: string) => void,
): Promise<void> {
  const total = exported.version.disks.reduce((sum, { allocationBytes }) => sum + allocationBytes, 0);
  let before = 0;
  for (const { pool, volume, to: name } of [...disks, ...variables === undefined ? [] : [variables]]) {
    job.log(`Copying ${pool}/${volume} to ${to.pool}/${name}`);
    const plan = { from: { host: from, pool, volume }, to: { ...to, volume: name } };
    using copy = new HostCopy(call, plan, {
      signal: job.signal,
      log: (text) => job.log(text),
      progress: (done, whole) => job.progress(before + done, Math.max(total, before + (whole ?? 0))),
    });
    try {
      const { size } = await copy.run();
      before += size;
    } catch (error) {
      await copy.undo();
      throw error;
    }
    arrived(name);
  }
}

/** Whether the other host has the template that it was asked to make; undefined where it does not say in time. */
async function hasTemplate(
  call: CommandCall,
  { to, name, disks }: TemplatePlan,
): Promise<Output<"list_templates">[number] | "none" | undefined> {
  for (const until = performance.now() + KNOWN_MS; performance.now() < until; await pause(LOOK_MS)) {
    try {
      const found = (await call("list_templates", { host: to.host })).find((each) => each.name === name);
      const isOurs = found?.versions.some((version) =>
        version.disks.some(({ pool, volume }) => pool === to.pool && volume === disks[0]?.to)
      );
      return found !== undefined && isOurs ? found : "none";
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
  }
}

/** Has the template made there. @throws {ContractError} */
async function make(call: CommandCall, plan: TemplatePlan, job: JobHandle) {
  const { to, name, exported, disks, variables } = plan;
  try {
    return await call("import_template", {
      host: to.host,
      pool: to.pool,
      name,
      description: exported.description,
      definition: exported.definition,
      source: String(exported.version.source).slice(0, 256),
      disks: disks.map(({ target, to: volume }) => ({ target, volume })),
      ...(variables !== undefined && { variables: variables.to }),
    });
  } catch (error) {
    if (!isBroken(error)) throw error;
    job.log(error.sentence);
    const found = await hasTemplate(call, plan);
    if (found === undefined) {
      throw new ContractError("LinkUndecided", { host: to.host, reason: error.message });
    }
    if (found === "none") throw error;
    return { ...found, warnings: [] };
  }
}

/** The handler. */
export function copyTemplateToHost(app: CopyServices): Pick<Handlers, keyof typeof templateCopyCommands> {
  return {
    copy_template_to_host: async (input, { principal }) => {
      const { templateId, version } = input, call = commandCallerOf(app, principal);
      const from = requireHostId(app, input.host ?? LOCAL_HOST), host = requireHostId(app, input.toHost);
      if (from === host) {
        throw new ContractError("InvalidInput", {
          reason: message`the template is on ${host}`,
          field: "toHost",
        });
      }
      const exported = await call("export_template", {
        host: from,
        templateId,
        ...(version !== undefined && { version }),
      });
      const pool = input.toPool ?? exported.version.disks[0]?.pool ?? "default";
      const name = input.name ?? exported.name, to = { host, pool };
      await requirePoolThere(call, { to: { ...to, volume: "" } });
      if ((await call("list_templates", { host })).some((each) => each.name === name)) {
        throw new ContractError("TemplateExists", { name });
      }
      const prefix = `template-${name}-${crypto.randomUUID().slice(0, 8)}`;
      const plan: TemplatePlan = {
        from,
        to,
        name,
        exported,
        disks: exported.version.disks.map(({ target, pool, volume }) => ({
          target,
          pool,
          volume,
          to: `${prefix}-v1-${target}.qcow2`,
        })),
        variables: exported.variables && { ...exported.variables, to: `${prefix}-v1-nvram.fd` },
      };
      return await app.hosts.local.jobs.run({
        command: "copy_template_to_host",
        title: message`Copy the template ${exported.name} to ${host}`,
        actor: principal.name,
        subject: exported.name,
        ...(from !== LOCAL_HOST && { host: from }),
        lane: "send",
        ifInterrupted: `Copy it again. Volumes there whose names begin with ${prefix} can be deleted.`,
      }, async (job) => {
        const made: string[] = [];
        try {
          await copyVolumes(call, plan, job, (volume) => made.push(volume));
          job.signal.throwIfAborted();
          const { id, warnings } = await make(call, plan, job);
          for (const warning of warnings) job.log(warning);
          return { host, templateId: id, name, pool, warnings };
        } catch (error) {
          // Where it is not known, a template there may have them
          const isUnknown = error instanceof ContractError && error.code === "LinkUndecided";
          for (const volume of isUnknown ? [] : made) await remove(call, { ...to, volume });
          throw error;
        }
      });
    },
  };
}

/** Removes a volume that has arrived for nothing. What cannot be removed is in the log. */
async function remove(
  call: CommandCall,
  at: { readonly host: string; readonly pool: string; readonly volume: string },
) {
  try {
    await call("delete_volume", { ...at, permanently: true });
  } catch (error) {
    log.warn("a volume of a template that was not copied stays there", { ...at, error });
  }
}
