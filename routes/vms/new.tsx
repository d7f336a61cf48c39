import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ChosenHost, HostChoice } from "../../components/host/HostChoice.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { visitOf } from "../../agent/http/entry.ts";
import type { CreateBounds } from "../../components/vm/create/props.ts";
import CreateVm from "../../islands/CreateVm.tsx";
import {
  type CloudInit,
  CpuCount,
  type CreateOptions,
  DiskSizeGb,
  type Image,
  MemoryMb,
  type OperatingSystem,
  type Project,
  type VmConfig,
} from "../../lib/contract/mod.ts";
import { DISK_GB, type InstallSource, SOURCES } from "../../lib/client/create_model.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { CHOSEN } from "../../lib/host/new_vm_href.ts";
import { firstCloudInit } from "../../lib/vm/cloud_init/first.ts";
import { freeVmName, guessSystem } from "../../lib/vm/create/guesses.ts";
import { offeredDiskGb } from "../../lib/vm/create/offered_disk.ts";
import { create } from "../../lib/i18n/en/create.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { missingIn, wishOf } from "../(_shared)/create_form.ts";
import { fail } from "../(_shared)/fail.ts";
import { hostAdvice, hostsForVms } from "../(_shared)/host_choice.ts";

const { t } = textsOf(create);

/** A number's bounds. A schema is data: what it holds in addition to its type is not in TypeScript's type of it. */
function boundsOf(schema: object): CreateBounds {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema as Partial<CreateBounds>;
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

/**
 * Image that the page begins from: `?iso=POOL/NAME`, `?disk=POOL/NAME` or `?cloud=POOL/NAME`, as in the links on the
 * pages of images.
 */
interface Begin {
  readonly iso: string | null;
  /** An image that becomes the first disk. */
  readonly disk: string | null;
  /** The first card, where the address says it. */
  readonly source?: InstallSource | undefined;
  /** Name or id of the project that it is to be in: `?project=…`. */
  readonly project?: string | undefined;
}

function beginOf(params: URLSearchParams): Begin {
  const iso = params.get("iso"), cloud = params.get("cloud"), disk = cloud ?? params.get("disk");
  const source = cloud !== null ? "cloud" : disk !== null ? "image" : undefined;
  const project = params.get("project")?.slice(0, 64);
  return { iso, disk, ...(iso === null && { source }), ...(project !== undefined && { project }) };
}

/** The form as it is before anybody has typed: the defaults, and what it was asked to begin from. */
function firstWish(
  { iso, disk }: Begin,
  options: CreateOptions,
  systems: readonly OperatingSystem[],
  taken: ReadonlySet<string>,
  /** Cloud-init defaults by OS variant; undefined for another install source. */
  cloudInitOf: ((osVariant: string | undefined) => CloudInit) | undefined,
  project: Project | undefined,
): Partial<VmConfig> {
  const { isos } = options,
    { cpuCount, memoryMb, diskSizeGb, network: usual, tags } = project?.defaults ?? {};
  const network = usual ?? options.network;
  const image = iso ?? disk;
  const osVariant = image === null ? undefined : guessSystem(image, systems);
  const system = systems.find(({ id }) => id === osVariant);
  const isoPath = isos.find(({ pool, name }) => `${pool}/${name}` === iso)?.path ?? iso;
  return {
    name: freeVmName(osVariant ?? (image === null ? "vm-1" : "vm"), taken),
    ...(system !== undefined && { osVariant: system.id, osType: system.osType }),
    ...(isoPath !== null && { isoPath }),
    disks: [
      // The image is one that other VMs are to begin from, too.
      iso === null && disk !== null
        ? { path: disk, copyAs: "qcow2" }
        : { sizeGb: diskSizeGb ?? offeredDiskGb(system?.defaults.diskSizeGb ?? DISK_GB, options) },
    ],
    nics: network === null ? [] : [{ network }],
    ...(project !== undefined && { project: project.id }),
    ...(cpuCount !== undefined && { cpuCount }),
    ...(memoryMb !== undefined && { memoryMb }),
    ...(tags !== undefined && { tags }),
    ...(cloudInitOf && { cloudInit: cloudInitOf(system?.id) }),
    start: true,
  };
}

/** The images of all pools; none for who may create VMs, and not see what is in the pools. */
async function imagesOf(api: PageState["api"]): Promise<Image[]> {
  try {
    return (await api.listImages()).images;
  } catch (error) {
    if (failureOf(error).status === 403) return [];
    throw error;
  }
}

/** Fields of a form sent without script: shown again if it was refused. */
interface Typed {
  readonly wish: Partial<VmConfig>;
  readonly source: InstallSource | undefined;
  readonly withoutIso: boolean;
}

async function formOf({ api, may, isLinked }: PageState, begin: Begin, typed?: Typed) {
  const [options, images, systems, vms, { sshKeys }, all] = await Promise.all([
    api.getCreateOptions(),
    imagesOf(api),
    api.listOperatingSystems(),
    api.getVms(),
    api.getSshKeys(),
    // Of hosts with a KVM Manager of their own VMs are put into projects once they are there
    may("set_vm_project") && !isLinked ? api.listProjects() : [],
  ]);
  const project = all.find(({ id, name }) => id === begin.project || name === begin.project);
  const taken = vms.map(({ name }) => name);
  const current = systems.filter(isCurrent);
  const source = begin.source ??
    (images.some(({ kind }) => kind === "iso") || begin.iso !== null ? "iso" : "cloud");
  const setUp = source === "cloud"
    ? (osVariant: string | undefined) => firstCloudInit(osVariant, sshKeys)
    : undefined;
  const wish = typed?.wish ?? firstWish(begin, options, current, new Set(taken), setUp, project);
  const asked = await api.checkVmConfig(wish);
  // A disk that does not fit leaves the other fields their defaults.
  const resolved = asked.resolved ?? (await api.checkVmConfig({ ...wish, disks: [] })).resolved;
  const check = { ...asked, resolved };
  const first: InstallSource = typed?.source ?? source;
  const withoutIso = typed?.withoutIso ?? false;
  const projects = all.map(({ id, name }) => ({ id, name }));
  return { options, images, systems: current, taken, sshKeys, projects, wish, check, first, withoutIso };
}

/** Parameters of the address that belong to one host: its choice was made where they come from. */
const OF_ONE_HOST = ["iso", "disk", "cloud", CHOSEN];

/** The form, with the name of its host where there are others. */
async function formPage(state: PageState, begin: Begin, why?: string, typed?: Typed) {
  const [form, hosts] = await Promise.all([formOf(state, begin, typed), hostsForVms(state)]).catch(fail);
  const chosen = hosts.length > 1 ? hosts.find(({ id }) => id === state.host)?.label : undefined;
  return { form, why, chosen };
}

export const handler = define.handlers({
  async GET({ state, info, url: { searchParams } }) {
    const isChosen = visitOf(info).host !== undefined || OF_ONE_HOST.some((each) => searchParams.has(each));
    const hosts = isChosen ? [] : await hostsForVms(state).catch(fail);
    if (hosts.length > 1) return page({ advice: await hostAdvice(state, hosts), now: Date.now() });
    return page(await formPage(state, beginOf(searchParams)));
  },
  /** The form of a page without script. */
  async POST(ctx) {
    const { state } = ctx, { api } = state;
    const form = await postedForm(ctx.req);
    const wish = wishOf(form);
    const source = SOURCES.find((each) => each === form.get("source"));
    const typed = { wish, source, withoutIso: form.get("withoutIso") === "yes" };
    const again = (why: string) => formPage(state, { iso: null, disk: null }, why, typed);
    const missing = missingIn(form, wish);
    if (missing !== undefined) {
      const why = t(missing === "iso" ? "create.iso_missing" : "create.image_missing");
      return page(await again(why), { status: 400 });
    }
    try {
      const created = await api.createVm(wish as VmConfig), { id, name } = created;
      state.notify({ is: "done", word: "create_vm", name, warnings: answerWarnings(created) });
      return ctx.redirect(`/vms/${encodeURIComponent(id)}`, 303);
    } catch (error) {
      const { status, why } = failureOf(error);
      return page(await again(why), { status });
    }
  },
});

/** Everything a VM is made of, on one page; what it comes to next to it. Before it, the host, where there are several. */
export default define.page<typeof handler>(function NewVm({ data, state }) {
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("create.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("create.title")}</h1>
      </header>
      {"advice" in data ? <HostChoice {...data} /> : (
        <>
          {data.chosen !== undefined && <ChosenHost name={data.chosen} />}
          {data.why !== undefined && (
            <Flash tone="bad" icon="alert" title={t("create.failed")}>{data.why}</Flash>
          )}
          <CreateVm
            {...data.form}
            bounds={BOUNDS}
            allowed={{
              createPool: state.may("create_storage_pool"),
              createNetwork: state.may("create_network"),
              startNetwork: state.may("start_network"),
            }}
            connected={state.connection.connected}
          />
        </>
      )}
    </>
  );
});
