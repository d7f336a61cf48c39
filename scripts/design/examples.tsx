/** Every part of the kit in every state that has looks of its own: what the design page shows, as a table. */
import type { ComponentChildren } from "preact";
import { CopyButton } from "../../components/kit/CopyButton.tsx";
import { type Column, DataTable, stacked } from "../../components/kit/DataTable.tsx";
import { Dialog } from "../../components/kit/Dialog.tsx";
import { DiffView } from "../../components/kit/DiffView.tsx";
import { Disclosure } from "../../components/kit/Disclosure.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { Fact } from "../../components/kit/Fact.tsx";
import { CheckField, SelectField, TextField } from "../../components/kit/Field.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Highlight } from "../../components/kit/Highlight.tsx";
import { Icon } from "../../components/kit/Icon.tsx";
import { LoadBar } from "../../components/kit/LoadBar.tsx";
import { Sparkline } from "../../components/kit/Sparkline.tsx";
import { MoreMenu } from "../../components/kit/MoreMenu.tsx";
import { RowVerbs } from "../../components/kit/RowVerbs.tsx";
import { Pagination } from "../../components/kit/Pagination.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import { SearchField } from "../../components/kit/SearchField.tsx";
import { SteadyButton } from "../../components/kit/SteadyButton.tsx";
import { Switch } from "../../components/kit/Switch.tsx";
import { TruncatedText } from "../../components/kit/TruncatedText.tsx";
import { StateBadge } from "../../components/vm/StateBadge.tsx";
import { VM_STATES } from "../../lib/contract/mod.ts";

/** A part of the kit and its states: what a state is called → how it looks. */
export interface Example {
  readonly part: string;
  readonly states: Readonly<Record<string, ComponentChildren>>;
  /** Each state takes the whole width. */
  readonly wide?: boolean;
}

const LONG = "a-name-that-is-much-longer-than-anybody-would-choose-but-that-some-program-made";
const BEFORE = "<memory>1</memory>\n<vcpu>2</vcpu>";
const AFTER = "<memory>1</memory>\n<vcpu>4</vcpu>";
const NOW = Date.UTC(2026, 0, 2, 12);

interface Row {
  readonly name: string;
  readonly size: number | null;
  readonly macs: readonly string[];
}

const ROWS: readonly Row[] = [
  { name: "web-01", size: 4096, macs: ["52:54:00:12:34:56", "52:54:00:12:34:57"] },
  { name: "db-01", size: 18, macs: ["52:54:00:ab:cd:ef"] },
  { name: LONG, size: null, macs: [] },
];

const COLUMNS: readonly Column<Row>[] = [
  { title: "Name", fit: "wide", cell: ({ name }) => <TruncatedText text={name} /> },
  { title: "State", cell: () => <StateBadge vm={{ state: "running", responsive: true }} /> },
  { title: "MAC", kind: "code", cell: ({ macs }) => stacked(macs) },
  { title: "Memory", kind: "number", cell: ({ size }) => size },
  {
    title: "Actions",
    kind: "actions",
    cell: ({ name }) => (
      <RowVerbs
        name={name}
        enabled
        verbs={[
          { text: "Edit", label: `Edit ${name}`, href: "#" },
          { text: "Detach", label: `Detach ${name}`, href: "#", danger: true },
        ]}
      />
    ),
  },
];

const table = (rows: readonly Row[]) => (
  <Panel title={rows.length === 0 ? "No cards" : "Network cards"}>
    <DataTable label="Cards" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} empty="None yet." />
  </Panel>
);

/** A look of a button in each of its states. `data-force` is what the pictures force upon it. */
function buttonStates(look: string): Example["states"] {
  const content = (
    <>
      <Icon name="play" />
      <span>Start</span>
    </>
  );
  return {
    default: <button type="button" class={look}>{content}</button>,
    hover: <button type="button" class={look} data-force="hover">{content}</button>,
    focus: <button type="button" class={look} data-force="focus-visible">{content}</button>,
    disabled: <button type="button" class={look} disabled>{content}</button>,
    busy: (
      <SteadyButton type="button" class={look} what="start" busy>
        <Icon name="loader" /> <span>Start</span>
      </SteadyButton>
    ),
  };
}

const choices = [{ value: "nat", label: "NAT" }, {
  value: "vf",
  label: "SR-IOV",
  unavailable: "no such card",
}];
const failure = {
  code: "LibvirtError",
  status: 500,
  why: "QEMU exited: disk vda is full",
  advice: "Make room in the pool, then start the VM again.",
  details: "",
};
const autostart = { label: "Autostart", name: "action", value: "set_autostart" };

/** Examples of the design page, in their order. */
export const EXAMPLES: readonly Example[] = [
  { part: "Button, primary", states: buttonStates("button primary") },
  { part: "Button", states: buttonStates("button") },
  { part: "Button, ghost", states: buttonStates("button ghost") },
  { part: "Button, danger", states: buttonStates("button danger") },
  {
    part: "Icon button, row button, copy",
    states: {
      icon: (
        <button type="button" class="icon-button" aria-label="Edit">
          <Icon name="edit" />
        </button>
      ),
      hover: (
        <button type="button" class="icon-button" aria-label="Edit" data-force="hover">
          <Icon name="edit" />
        </button>
      ),
      disabled: (
        <button type="button" class="icon-button" aria-label="Edit" disabled>
          <Icon name="edit" />
        </button>
      ),
      row: <RowButton action="/settings/tokens" text="Revoke" label="Revoke one" />,
      copy: <CopyButton text="x" what="UUID" labelled />,
    },
  },
  {
    part: "Switch",
    states: {
      on: <Switch {...autostart} checked word="On" disabled={false} />,
      off: <Switch {...autostart} checked={false} word="Off" disabled={false} />,
      disabled: <Switch {...autostart} checked word="On" disabled />,
    },
  },
  {
    part: "Menu",
    states: {
      more: <MoreMenu label="Actions for web-01">{null}</MoreMenu>,
      open: (
        <div class="menu" role="menu" aria-label="Actions">
          <button type="button" role="menuitem" class="menu-item">
            <Icon name="edit" />
            <span>Edit</span>
          </button>
          <button type="button" role="menuitem" class="menu-item" data-force="hover">
            <Icon name="copy" />
            <span>Clone</span>
          </button>
          <button type="button" role="menuitem" class="menu-item" disabled>
            <Icon name="reboot" />
            <span>Reboot</span>
          </button>
          <button type="button" role="menuitem" class="menu-item" data-danger="">
            <Icon name="trash" />
            <span>Delete</span>
          </button>
        </div>
      ),
    },
  },
  {
    part: "Fields",
    states: {
      default: <TextField label="Name" defaultValue="web-01" hint="Letters, digits, - . _" />,
      placeholder: <TextField label="Password" placeholder="None: keys only" />,
      focus: <TextField label="Name" defaultValue="web-01" data-force="focus-visible" />,
      disabled: <TextField label="Name" defaultValue="web-01" disabled />,
      error: <TextField label="Memory" defaultValue="0" suffix="MiB" error="At least 1 MiB." />,
      select: <SelectField label="Mode" choices={choices} value="nat" />,
      check: <CheckField label="Keep its address" hint="A static lease." defaultChecked />,
      search: <SearchField label="Search images" value="" />,
    },
  },
  {
    part: "States",
    states: Object.fromEntries(
      VM_STATES.map((state) => [state, <StateBadge key={state} vm={{ state, responsive: true }} />]),
    ),
  },
  {
    part: "Text",
    states: {
      truncated: <TruncatedText text={LONG} />,
      highlight: <Highlight text="web-01" positions={[0, 1, 2]} />,
      time: <RelativeTime at={NOW - 3_600_000} now={NOW} />,
      code: <code>virsh start web-01 != &gt;=</code>,
      load: <LoadBar percent={38} kind="cpu" />,
      full: <LoadBar percent={96} kind="memory" />,
      course: (
        <span class="figure-bar">
          <Sparkline percents={[5, 8, 30, 62, 40, 41, 12, 8, 9, 50, 71, 66, 20, 14, 11, 10]} kind="cpu" />
        </span>
      ),
      level: (
        <span class="figure-bar">
          <Sparkline percents={[94]} kind="cpu" />
        </span>
      ),
    },
  },
  {
    part: "Flash",
    wide: true,
    states: {
      ok: <Flash tone="ok">The network was started</Flash>,
      info: <Flash tone="info" icon="loader">It is being copied.</Flash>,
      warn: <Flash tone="warn" title="Port forwards cannot be set up.">nft is missing.</Flash>,
      bad: <Flash tone="bad" title="web-01 could not be started" failure={failure} />,
      actions: (
        <Flash
          tone="warn"
          title="No storage pool is running."
          actions={
            <>
              <button type="button" class="button">Keep waiting</button>
              <button type="button" class="button danger">Force off</button>
            </>
          }
        >
          Start or create one, see <a href="#">Storage</a>.
        </Flash>
      ),
      long: <Flash tone="info" icon="unplug" title="Not connected.">{`${LONG} `.repeat(4)}</Flash>,
    },
  },
  { part: "Table", wide: true, states: { rows: table(ROWS), empty: table([]) } },
  {
    part: "Panel and facts",
    wide: true,
    states: {
      facts: (
        <Panel title="Overview" aside={<a href="#">All</a>}>
          <dl class="description-list columns">
            <Fact label="Mode">NAT</Fact>
            <Fact label="UUID">
              <span class="mono">6695eb01-f6a4-8304-79aa-97f2502e193f</span>
            </Fact>
          </dl>
        </Panel>
      ),
      disclosure: <Disclosure title="Advanced" wrong>{null}</Disclosure>,
      empty: (
        <Empty icon="disk" title="No storage pools yet">
          <p>A pool is where disks are kept.</p>
          <a class="button primary" href="#">New pool</a>
        </Empty>
      ),
      pages: <Pagination page={2} pages={9} hrefOf={(page) => `#${page}`} />,
      diff: <DiffView before={BEFORE} after={AFTER} />,
    },
  },
  {
    part: "Dialog",
    states: {
      open: (
        <Dialog open title="Force off web-01?" onClose={() => {}}>
          <div class="dialog-body">
            <p>What is not written to disk is lost.</p>
          </div>
          <div class="dialog-foot">
            <button type="button" class="button">Cancel</button>
            <button type="button" class="button danger">Force off</button>
          </div>
        </Dialog>
      ),
    },
  },
];
