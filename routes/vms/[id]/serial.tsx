import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import SerialConsole from "../../../islands/SerialConsole.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { serialLine } from "../../../lib/formats/xml/serial.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { xml } = await ctx.state.api.getVmXml({ vmId: vm.id }).catch(fail);
    return page({ vm, line: serialLine(xml), now: Date.now() });
  },
});

/** A VM's serial console. */
export default define.page<typeof handler>(function VmSerial({ data, state }) {
  const { vm, line, now } = data;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_serial")}`}
      at="/serial"
    >
      <SerialConsole vm={shared} line={line} />
    </VmPage>
  );
});
