import { localTimeMs, type EpochMs } from '../rules/calendar';
import type { CsvRow } from './read-csv';

/** Rows whose local time in one column lies in [from, before). */
export interface Slice {
  readonly column: string;
  readonly from: EpochMs | undefined;
  readonly before: EpochMs | undefined;
}

type Only = (cells: CsvRow['cells']) => boolean;

/** Whether a row lies in the slice and is wanted otherwise; a time that cannot be read is wanted, to be rejected. */
export function within(slice: Slice, timeZone: string, only: Only = () => true): Only {
  const { column, from, before } = slice;
  if (from === undefined && before === undefined) return only;
  return (cells) => {
    const at = localTimeMs(cells[column] ?? '', timeZone);
    const inside =
      at === undefined || ((from === undefined || at >= from) && (before === undefined || at < before));
    return inside && only(cells);
  };
}
