import type { Naming } from "../../components/vm/VmNamePage.tsx";
import type { VM } from "../../lib/contract/mod.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { failureOf } from "../../lib/text/failure.ts";
import type { Notice } from "../../lib/text/notice.ts";
import type { PageState } from "../../lib/page_state.ts";
import { type CloneRequest, cloneWishIn } from "../../lib/vm/clone_form.ts";

/**
 * Does what the form of a page that names a VM asks for, where there is no script; gives the VM to go to with what is
 * to be known of it, or what to show again.
 */
export async function named(
  vm: VM,
  form: FormData,
  call: (name: string, wish: CloneRequest) => Promise<{ readonly vmId: string }>,
): Promise<{ vmId: string; name: string; warnings: Notice["warnings"] } | Naming> {
  const name = String(form.get("name") ?? "");
  const wish = cloneWishIn(form), { linked, snapshot, tpm } = wish;
  try {
    const made = await call(name, wish);
    return { vmId: made.vmId, name, warnings: answerWarnings(made) };
  } catch (error) {
    return { vm, name, linked, snapshot, ...(tpm !== undefined && { tpm }), failure: failureOf(error) };
  }
}

/** A name for a copy that is free: `web-copy`, `web-copy-2`, … */
export async function copyName(api: PageState["api"], name: string): Promise<string> {
  const taken = new Set((await api.getVms()).map((vm) => vm.name));
  const base = `${name.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^(?=\d)/, "_").slice(0, 50)}-copy`;
  let free = base;
  for (let number = 2; taken.has(free); number++) free = `${base}-${number}`;
  return free;
}
