import { page } from "fresh";
import { Head } from "fresh/runtime";
import { BulkForm } from "../../components/vm/list/BulkForm.tsx";
import { Pagination } from "../../components/kit/Pagination.tsx";
import VmList from "../../islands/VmList.tsx";
import { vmListItem } from "../../lib/vm/vm_list_item.ts";
import { listHref, parseListQuery } from "../../lib/vm/list_query.ts";
import { countVms, filterVms, groupVms, sortVms } from "../../lib/vm/list.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { listedHosts } from "../../lib/host/listed.ts";
import { t } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { newVmAddress } from "../(_shared)/host_choice.ts";

/** Rows in a page: all that is sent with it, more than a screen shows. The island fetches the rest. */
const PAGE_ROWS = 50;

export const handler = define.handlers({
  async GET({ state, url }) {
    const query = parseListQuery(url.searchParams);
    const [all, hosts] = await Promise.all([state.api.getVms(), state.api.listHosts()]).catch(fail);
    const matching = sortVms(filterVms(all, query), query);
    // A page goes on where the one before ended, groups included. A VM that is in two of them is sent once.
    const inOrder = [...new Set(groupVms(matching, query.by).flatMap(({ vms }) => vms))];
    const pages = Math.max(1, Math.ceil(inOrder.length / PAGE_ROWS));
    const at = Math.min(query.page, pages);
    return page({
      query: { ...query, page: at },
      vms: inOrder.slice((at - 1) * PAGE_ROWS, at * PAGE_ROWS).map(vmListItem),
      matching: matching.length,
      counts: countVms(all),
      // The pages of another host list its VMs alone
      hosts: state.host === LOCAL_HOST ? listedHosts(hosts) : [],
      newVm: newVmAddress(state.host === LOCAL_HOST ? hosts : [], state),
      pages,
      now: Date.now(),
    });
  },
});

/** The list of VMs. */
export default define.page<typeof handler>(function Vms({ data, state }) {
  const { vms, matching, counts, query, hosts, newVm, pages, now } = data, { connected } = state.connection;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.vms") })}</title>
      </Head>
      <VmList
        vms={vms}
        matching={matching}
        counts={counts}
        query={query}
        hosts={hosts}
        connected={connected}
        newVm={newVm}
        mayImport={state.may("import_vm")}
        mayImportOva={state.may("import_ova")}
        mayImportFrom={state.may("import_foreign_vm")}
        now={now}
      />
      <BulkForm enabled={(connected || hosts.length > 0) && state.may("start_vm")} />
      {/* The page with script scrolls instead. */}
      <Pagination
        class="noscript-only"
        page={query.page}
        pages={pages}
        hrefOf={(page) => listHref(query, { page })}
      />
    </>
  );
});
