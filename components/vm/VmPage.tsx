import { Head } from "fresh/runtime";
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import VmHeader from "../../islands/VmHeader.tsx";
import type { VM } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { t } from "../../lib/i18n/mod.ts";
import { VmTabs } from "./VmTabs.tsx";

/** Props of {@link VmPage}. */
export interface VmPageProps {
  /** One signal for all islands of the page. */
  vm: Signal<VM>;
  state: PageState;
  /** When the page was rendered. */
  now: number;
  /** Title of the browser's tab. */
  title: string;
  /** Path of the tab below the VM's. */
  at: string;
  children: ComponentChildren;
}

/** Frame of every page of a VM: its header, its tabs, and the tab's own content. */
export function VmPage({ vm, state, now, title, at, children }: VmPageProps) {
  const { id, group } = vm.value;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <VmHeader
        vm={vm}
        connected={state.connection.connected}
        mayOperate={state.may("start_vm", { vmId: id, group })}
        now={now}
        at={at}
      />
      <VmTabs vmId={id} at={at} offers={state.offers} />
      {children}
    </>
  );
}
