import type { Naming } from "../../components/vm/VmNamePage.tsx";
import type { VM } from "../../lib/contract/mod.ts";
import { failureOf } from "../../lib/text/failure.ts";
import type { PageState } from "../../lib/page_state.ts";
import { type CloneWish, cloneWishIn } from "../../lib/vm/clone_form.ts";

/**
 * Does what the form of a page that names a VM asks for, where there is no script; gives the id of the VM to go to, or what to
 * show again.
 */
export async function named(
  vm: VM,
  form: FormData,
  call: (name: string, wish: CloneWish) => Promise<string>,
): Promise<{ vmId: string; name: string } | Naming> {
  const name = String(form.get("name") ?? "");
  const wish = cloneWishIn(form), { linked, snapshot, tpm } = wish;
  try {
    return { vmId: await call(name, wish), name };
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
