import type { Job } from "../../lib/contract/mod.ts";
import { hrefOn } from "../../lib/text/host_path.ts";

/** Link of a finished task. */
interface JobLink {
  readonly href: string;
  readonly text: "jobs.to_vm" | "jobs.to_host" | "jobs.to_form";
}

/** Commands whose task leads to something else than a VM: by their task, once it is over. */
const LINKS: Readonly<Record<string, (job: Job) => JobLink>> = {
  install_host: ({ state, subject = "" }) =>
    state === "done"
      ? { href: hrefOn(subject, "/"), text: "jobs.to_host" }
      : { href: "/settings/hosts#install", text: "jobs.to_form" },
};

/** The link of a task's page; undefined while it runs, and for one that leads nowhere. @param isVmGone the VM it is about is known to be gone */
export function jobLink(job: Job, isVmGone: boolean): JobLink | undefined {
  if (job.state === "queued" || job.state === "running") return undefined;
  if (Object.hasOwn(LINKS, job.command)) return LINKS[job.command]!(job);
  if (job.vmId === undefined || job.state !== "done" || isVmGone) return undefined;
  return { href: `/vms/${encodeURIComponent(job.vmId)}`, text: "jobs.to_vm" };
}
