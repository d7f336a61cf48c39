import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Banner } from "../../components/Banner.tsx";
import type { Bounds } from "../../components/create/props.ts";
import CreateVm from "../../islands/CreateVm.tsx";
import {
  CpuCount,
  DiskSizeGb,
  MemoryMb,
  type OperatingSystem,
  type VmConfig,
} from "../../lib/contract/mod.ts";
import { failureOf } from "../../lib/format/failure.ts";
import { freeName } from "../../lib/format/new_vm.ts";
import { create } from "../../lib/i18n/en/create.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { wishOf } from "../(_shared)/create_form.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(create);

/** GiB of the disk that is offered while no operating system is chosen. */
const DISK_GB = 20;

/** A number's bounds. A schema is data: what it holds beside its type is not in TypeScript's type of it. */
function boundsOf(schema: object): Bounds {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema as Partial<Bounds>;
  return { minimum, maximum };
}
/** The bounds the form shows: those the server holds. */
const BOUNDS = {
  cpuCount: boundsOf(CpuCount),
  memoryMb: boundsOf(MemoryMb),
  diskSizeGb: boundsOf(DiskSizeGb),
};

/** Systems that are still maintained, or never had an end; the others only by their id. */
const isCurrent = ({ endOfLife }: OperatingSystem) =>
  endOfLife === undefined || Date.parse(endOfLife) > Date.now();

async function formOf(api: PageState["api"], typed?: Partial<VmConfig>) {
  const [options, systems, vms] = await Promise.all([
    api.getCreateOptions(),
    api.listOperatingSystems(),
    api.getVms(),
  ]);
  const taken = vms.map(({ name }) => name);
  const wish = typed ?? {
    name: freeName("vm-1", new Set(taken)),
    disks: [{ sizeGb: DISK_GB }],
    nics: options.network === null ? [] : [{ network: options.network }],
    start: true,
  };
  const check = await api.checkVmConfig({ config: wish });
  return { options, systems: systems.filter(isCurrent), taken, wish, check };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page({ ...await formOf(state.api).catch(fail), why: undefined as string | undefined });
  },
  /** The form of a page without script. */
  async POST(ctx) {
    const { api } = ctx.state;
    const wish = wishOf(await ctx.req.formData());
    try {
      const { id } = await api.createVm(wish as VmConfig);
      return ctx.redirect(`/vms/${encodeURIComponent(id)}?done=create`, 303);
    } catch (error) {
      const { status, why } = failureOf(error);
      return page({ ...await formOf(api, wish).catch(fail), why }, { status });
    }
  },
});

/** Everything a machine is made of, on one page; what it comes to beside it. */
export default define.page<typeof handler>(function NewVm({ data, state }) {
  const { why, ...start } = data;
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("create.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("create.title")}</h1>
      </header>
      {why !== undefined && <Banner tone="bad" icon="alert" title={t("create.failed")} text={why} />}
      <CreateVm {...start} bounds={BOUNDS} connected={state.connection.connected} />
    </>
  );
});
