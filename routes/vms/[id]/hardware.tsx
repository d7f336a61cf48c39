import { vmObjectOf } from "../../../lib/vm/object.ts";
import { HttpError, page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import HardwareForms from "../../../islands/HardwareForms.tsx";
import { AREAS, type Output, type VM } from "../../../lib/contract/mod.ts";
import { failureOf } from "../../../lib/text/failure.ts";
import {
  changeOf,
  failedWith,
  FormError,
  type HardwareFormOutcome,
  type HardwareSectionName,
  isSection,
  succeeded,
  updateOptionsOf,
} from "../../../lib/vm/hardware_form.ts";
import { BOUNDS } from "../../../lib/vm/hardware_bounds.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware as texts } from "../../../lib/i18n/en/hardware.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";

const own = textsOf(texts);
const NOTHING = { applied: [], waiting: [], warnings: [] };

interface Data {
  vm: VM;
  hardware: Output<"get_hardware">;
  outcome: HardwareFormOutcome | null;
  now: number;
}

async function dataOf(
  ctx: { params: Record<string, string>; state: PageState },
  outcome: HardwareFormOutcome | null,
): Promise<Data> {
  const vm = await vmOf(ctx);
  const hardware = await ctx.state.api.getHardware({ vmId: vm.id }).catch(fail);
  return { vm, hardware, outcome, now: Date.now() };
}

/** Carries out what a form asks for, where there is no script to do it. */
async function carryOut(
  ctx: { params: Record<string, string>; state: PageState },
  section: HardwareSectionName | "pending",
  form: FormData,
): Promise<HardwareFormOutcome> {
  const { api } = ctx.state;
  const { vm, hardware } = await dataOf(ctx, null);
  if (section === "pending") {
    const area = AREAS.find((each) => each === form.get("area"));
    await api.discardPendingChanges({ vmId: vm.id, ...(area && { areas: [area] }) });
    return succeeded(section, NOTHING);
  }
  const change = changeOf(section, form, hardware.next, vm, { pins: own.t("hardware.bad_pins") });
  if (Object.keys(change).length === 0) return succeeded(section, NOTHING);
  return succeeded(section, await api.updateVm({ vmId: vm.id, ...change, ...updateOptionsOf(form) }));
}

export const handler = define.handlers({
  async GET(ctx) {
    return page(await dataOf(ctx, null));
  },
  async POST(ctx) {
    const section = ctx.url.searchParams.get("form");
    if (section !== "pending" && !isSection(section)) throw new HttpError(400, t("error.form"));
    const form = await postedForm(ctx.req);
    try {
      return page(await dataOf(ctx, await carryOut(ctx, section, form)));
    } catch (error) {
      if (error instanceof HttpError) throw error;
      const status = error instanceof FormError ? 400 : failureOf(error).status;
      const outcome = { ...failedWith(section, error), typed: typedFields(form) };
      return page(await dataOf(ctx, outcome), { status });
    }
  },
});

/** A VM's hardware: what it is now, what it will be, and changing it. */
export default define.page<typeof handler>(function VmHardware({ data, state, url }) {
  const { vm, hardware, outcome, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_hardware")}`}
      at="/hardware"
    >
      <HardwareForms
        vm={shared}
        connected={connected}
        hardware={hardware}
        bounds={BOUNDS}
        outcome={outcome}
        mayShare={state.may("attach_share", vmObjectOf(vm))}
        adding={url.searchParams.get("do") === "add"}
      />
    </VmPage>
  );
});
