import { Head } from "fresh/runtime";
import RenameOrClone from "../../islands/RenameOrClone.tsx";
import type { ClonedTpm, VM } from "../../lib/contract/mod.ts";
import type { Failure } from "../../lib/text/failure.ts";
import { oneLine } from "../../lib/text/text.ts";
import { manage } from "../../lib/i18n/en/manage.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { isLive } from "../../lib/vm/state.ts";

const texts = textsOf(manage);

/** Data of a page that names a VM. */
export interface Naming {
  readonly vm: VM;
  readonly name: string;
  readonly linked: boolean;
  /** Names of the snapshots that a copy can be made of, and the one that is chosen; empty: as the VM is now. */
  readonly snapshots?: readonly string[];
  readonly snapshot?: string;
  /** Choice for the copy's TPM; left out if the VM has none to copy. */
  readonly tpm?: ClonedTpm;
  readonly failure: Failure | null;
}

const TITLES = { clone: "manage.clone_title", rename: "manage.rename_title" } as const;

/** The page that asks for a name: for a copy, or instead of the one a VM has. */
export function VmNamePage({ kind, vm, ...form }: Naming & { kind: keyof typeof TITLES }) {
  return (
    <>
      <Head>
        <title>
          {t("title.page", { page: texts.t(TITLES[kind], { name: oneLine(vm.name, 60) }) })}
        </title>
      </Head>
      <RenameOrClone kind={kind} vmId={vm.id} vmName={vm.name} isLive={isLive(vm)} {...form} />
    </>
  );
}
