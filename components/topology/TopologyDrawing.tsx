import { type ComponentChildren, h } from "preact";
import { topology as texts } from "../../lib/i18n/en/topology.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import {
  type Box,
  type Heading,
  pathOf,
  type Picture,
  type PlacedNode,
  SIZE,
} from "../../lib/topology/layout.ts";
import { foldId } from "../../lib/topology/walk.ts";
import { type IconName, type IconNode, ICONS } from "../kit/icons.ts";
import { fitting, groupWords, topologyWords, vmWords, type Words } from "./words.ts";

const { t } = textsOf(texts);

const HEADINGS: Readonly<Record<Heading["what"], PlainKeyOf<typeof texts>>> = {
  uplinks: "topology.uplinks",
  networks: "topology.networks",
  vms: "topology.vms",
};

/** Props of {@link TopologyDrawing}. */
export interface TopologyDrawingProps {
  picture: Picture;
  /** 1: a pixel of the layout is one of the screen. */
  scale: number;
  /** Nodes connected to the one that is pointed at; null: no node is pointed at. */
  lit: ReadonlySet<string> | null;
  /** The one stop the tabulator reaches; undefined: it reaches all (there is no script to move on with). */
  stop: string | undefined;
  /** Address that opens or closes a group. */
  foldHref: (group: string) => string;
}

/** An icon at a place of the picture. */
function Glyph({ name, x, y, size = 16 }: { name: IconName; x: number; y: number; size?: number }) {
  const nodes: readonly IconNode[] = ICONS[name];
  return (
    <svg class="icon" x={x} y={y} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      {nodes.map(([tag, attributes], index) => h(tag, { key: index, ...attributes }))}
    </svg>
  );
}

type Stops = Pick<TopologyDrawingProps, "stop" | "lit">;

function Stop({ id, href, label, box, radius = 8, stop, lit, tone, children, kind }: Stops & {
  id: string;
  href: string;
  label: string;
  box: Box;
  radius?: number;
  tone?: string;
  kind: string;
  children: ComponentChildren;
}) {
  return (
    <a
      class="topo-stop"
      href={href}
      data-stop={id}
      data-kind={kind}
      data-tone={tone}
      data-lit={lit?.has(id) ? "" : undefined}
      tabindex={stop === undefined || stop === id ? 0 : -1}
    >
      {
        /* An SVG link is called by its title (SVG-AAM), which is what a pointer sees too. The key: without one
          Fresh takes it for the page's title. */
      }
      <title key="label">{label}</title>
      <rect class="topo-card" x={box.x} y={box.y} width={box.width} height={box.height} rx={radius} />
      {children}
    </a>
  );
}

function Card({ placed, words, ...stops }: Stops & { placed: PlacedNode; words: Words }) {
  const { x, y, width, height, node } = placed;
  const middle = y + height / 2;
  const title = fitting(words.title, width - 82), sub = fitting(words.sub, width - 56, 5.9);
  return (
    <Stop
      id={node.id}
      href={words.href}
      label={words.label}
      box={placed}
      tone={words.tone}
      kind={node.kind}
      {...stops}
    >
      <rect class="topo-ground" x={x + 10} y={middle - 14} width={28} height={28} rx={7} />
      <Glyph name={words.icon} x={x + 16} y={middle - 8} />
      <text class="topo-title" x={x + 48} y={middle - 4}>{title}</text>
      <text class="topo-sub" x={x + 48} y={middle + 13}>{sub}</text>
      <g class="topo-sign">
        <Glyph name={words.sign} x={x + width - 26} y={middle - 17} size={14} />
      </g>
    </Stop>
  );
}

function Group({ placed, foldHref, ...stops }: Stops & {
  placed: PlacedNode;
  foldHref: TopologyDrawingProps["foldHref"];
}) {
  const { node, x, y, width, height, chips, fold } = placed;
  if (node.kind !== "group") return null;
  const { title, running, on } = groupWords(node);
  const verb = fold?.open ? t("topology.show_fewer") : t("topology.show_all", { n: number(node.vms.length) });
  return (
    <g role="group" aria-label={t("topology.of_two", { one: title, other: on })}>
      <rect
        class="topo-group"
        x={x}
        y={y}
        width={width}
        height={height}
        rx={10}
        data-lit={stops.lit?.has(node.id) ? "" : undefined}
      />
      <text class="topo-title" x={x + SIZE.group.padding + 2} y={y + 23}>{title}</text>
      <text class="topo-sub" x={x + width - SIZE.group.padding - 2} y={y + 23} text-anchor="end">
        {running}
      </text>
      {chips.map((chip) => {
        const words = vmWords(chip.vm);
        const name = fitting(words.title, chip.width - 36, 6.6);
        return (
          <Stop
            key={chip.id}
            id={chip.id}
            href={words.href}
            label={words.label}
            box={chip}
            radius={6}
            tone={words.tone}
            kind="chip"
            {...stops}
          >
            <g class="topo-sign">
              <Glyph name={words.sign} x={chip.x + 8} y={chip.y + 7} size={14} />
            </g>
            <text class="topo-chip" x={chip.x + 28} y={chip.y + 18}>
              {name}
            </text>
          </Stop>
        );
      })}
      {fold && (
        <Stop
          id={foldId(node.id)}
          href={foldHref(node.id)}
          label={t("topology.fold_of", { verb, where: on })}
          box={fold}
          radius={6}
          kind="fold"
          {...stops}
        >
          <text class="topo-chip" x={fold.x + fold.width / 2} y={fold.y + 18} text-anchor="middle">
            {verb}
          </text>
        </Stop>
      )}
    </g>
  );
}

/** The picture itself. Sizes and places are attributes: the content policy allows no inline styles. */
export function TopologyDrawing({ picture, scale, foldHref, ...stops }: TopologyDrawingProps) {
  const { width, height, nodes, edges, headings } = picture;
  const lit = stops.lit;
  return (
    <svg
      class="topo"
      role="group"
      aria-label={t("topology.picture_of")}
      width={Math.round(width * scale)}
      height={Math.round(height * scale)}
      viewBox={`0 0 ${width} ${height}`}
      data-lit={lit === null ? undefined : ""}
    >
      {headings.map(({ x, what }) => (
        <text key={what} class="topo-heading" x={x} y={SIZE.margin + 10}>{t(HEADINGS[what])}</text>
      ))}
      <g aria-hidden="true">
        {edges.map(({ from, to, live, routed, points }) => (
          <path
            key={`${from} ${to}`}
            class="topo-line"
            d={pathOf(points)}
            data-off={live ? undefined : ""}
            data-routed={routed ? "" : undefined}
            data-lit={lit?.has(from) && lit.has(to) ? "" : undefined}
          />
        ))}
      </g>
      {nodes.map((placed) =>
        placed.node.kind === "group"
          ? <Group key={placed.node.id} placed={placed} foldHref={foldHref} {...stops} />
          : <Card key={placed.node.id} placed={placed} words={topologyWords(placed.node)} {...stops} />
      )}
    </svg>
  );
}
