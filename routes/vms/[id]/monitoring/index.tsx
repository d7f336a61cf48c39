import { page } from "fresh";
import { signal } from "@preact/signals";
import { MetricsTrouble } from "../../../../components/metrics/MetricsTrouble.tsx";
import { VmPage } from "../../../../components/vm/VmPage.tsx";
import Monitoring from "../../../../islands/Monitoring.tsx";
import { markKinds } from "../../../../lib/metrics/marks.ts";
import { markWords } from "../../../../lib/vm/activity.ts";
import { MARKED_COMMANDS } from "../../../../lib/contract/marked_commands.ts";
import { oneLine } from "../../../../lib/text/text.ts";
import { t } from "../../../../lib/i18n/mod.ts";
import { define } from "../../../../lib/page_state.ts";
import { shownMonitoring } from "../../../(_shared)/monitoring.ts";
import { vmOf } from "../../../(_shared)/vm.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    return page({ vm, ...await shownMonitoring(ctx.state.api, { vmId: vm.id }, ctx.url) });
  },
});

/** Page of a VM's graphs. */
export default define.page<typeof handler>(function VmMonitoring({ data, state }) {
  const { vm, query, data: read, trouble, now } = data;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_monitoring")}`}
      at="/monitoring"
    >
      {read === null ? <MetricsTrouble why={trouble ?? ""} user={state.user} /> : (
        <Monitoring
          vm={shared}
          path={`/vms/${encodeURIComponent(vm.id)}/monitoring`}
          query={query}
          data={read}
          markedCommands={MARKED_COMMANDS}
          markWords={markWords(markKinds(MARKED_COMMANDS))}
          now={now}
        />
      )}
    </VmPage>
  );
});
