import type { RefObject } from "preact";
import type { ListQuery } from "../../../lib/vm/list_query.ts";
import { isPlainClick } from "../../../lib/client/click.ts";
import { listHref, sortBy } from "../../../lib/vm/list_query.ts";
import type { ListLine } from "../../../lib/vm/list_lines.ts";
import type { Window } from "../../../lib/text/window.ts";
import { list as listTexts } from "../../../lib/i18n/en/list.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { sortableColumns } from "./columns.ts";
import { GroupHead } from "./GroupHead.tsx";
import { Icon } from "../../kit/Icon.tsx";
import type { VmItemProps } from "./vm_item.ts";
import { VmRow } from "./VmRow.tsx";

const texts = textsOf(listTexts);

/** The box, the state and the name: where there is little room the others go, and no cell may span one that is gone. */
const KEPT_COLUMNS = 3;

/** The columns of a list: which host a VM is on is told where there are several. */
const columnsOf = ({ item }: Pick<VmLinesProps, "item">) => sortableColumns(item.model.hostLabels.size > 0);

/** Props of the table and the cards. */
export interface VmLinesProps {
  list: RefObject<HTMLElement>;
  lines: readonly ListLine[];
  window: Window;
  query: ListQuery;
  selected: ReadonlySet<string>;
  /** Rows there are, those included that are still on their way. */
  count: number;
  item: Omit<VmItemProps, "vm" | "selected">;
  onAsk: (change: Partial<ListQuery>) => void;
}

function Header(
  { query, onAsk, item, allSelected, onToggleAll }: Pick<VmLinesProps, "query" | "onAsk" | "item"> & {
    allSelected: boolean;
    onToggleAll: () => void;
  },
) {
  return (
    <tr aria-rowindex={1}>
      <th class="col-select">
        <label class="select-box needs-script">
          <input
            type="checkbox"
            aria-label={texts.t("list.select_all")}
            checked={allSelected}
            onClick={onToggleAll}
          />
        </label>
      </th>
      {columnsOf({ item }).map(({ sort, label, class: column }) => {
        const isSorted = query.sort === sort;
        const change = sortBy(query, sort);
        return (
          <th
            key={sort}
            scope="col"
            class={column}
            aria-sort={isSorted ? (query.dir === "asc" ? "ascending" : "descending") : undefined}
          >
            <a
              class="sort"
              href={listHref(query, change)}
              onClick={(event) => {
                if (!isPlainClick(event)) return;
                event.preventDefault();
                onAsk(change);
              }}
            >
              {t(label)}
              {isSorted && <Icon name={query.dir === "asc" ? "sortUp" : "sortDown"} />}
            </a>
          </th>
        );
      })}
      <th class="col-actions">
        <span class="visually-hidden">{t("column.actions")}</span>
      </th>
    </tr>
  );
}

function Spacer({ height }: { height: number }) {
  return height === 0 ? null : (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={KEPT_COLUMNS} style={{ height: `${height}px` }}></td>
    </tr>
  );
}

/** The VMs as a table. */
export function VmTable(props: VmLinesProps & { allSelected: boolean; onToggleAll: () => void }) {
  const { lines, window: { from, to, before, after }, query, selected, item, count } = props;
  const others = [...columnsOf(props).slice(KEPT_COLUMNS - 1).map((column) => column.class), "col-actions"];
  const headings = lines.reduce((total, { kind }) => total + (kind === "group" ? 1 : 0), 0);
  return (
    <table
      class={item.model.hostLabels.size > 0 ? "vm-table of-hosts" : "vm-table"}
      aria-rowcount={count + headings + 1}
      aria-label={t("nav.vms")}
    >
      <thead>
        <Header {...props} />
      </thead>
      <tbody ref={props.list as RefObject<HTMLTableSectionElement>}>
        <Spacer height={before} />
        {lines.slice(from, to).map((line, index) => {
          const rowIndex = from + index + 2;
          if (line.kind === "row") {
            const { vm } = line;
            return (
              <VmRow
                key={line.key}
                vm={vm}
                rowIndex={rowIndex}
                query={query}
                selected={selected.has(vm.id)}
                {...item}
              />
            );
          }
          return line.kind === "cards" ? null : (
            <tr key={line.key} class="group-row" aria-rowindex={rowIndex}>
              <th colSpan={KEPT_COLUMNS} scope="rowgroup">
                <GroupHead group={line.group} by={query.by} />
              </th>
              {others.map((column) => <td key={column} class={column}></td>)}
            </tr>
          );
        })}
        <Spacer height={after} />
      </tbody>
    </table>
  );
}
