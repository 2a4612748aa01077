import {
  DefaultInsertValueNode,
  PrimitiveValueListNode,
  SqliteQueryCompiler,
  ValueNode,
  ValuesNode,
  type ValuesItemNode,
} from 'kysely';
import { storable } from './storable-text.ts';

type Plain = string | number | null;

/**
 * Kysely's SQLite, with the values of lists and of several rows in one parameter each, as JSON. So a statement has the
 * same text for any number of them. One text for each number would fill the memory of the database's thread with
 * prepared statements that are as large as their lists.
 */
export class SqliteCompiler extends SqliteQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(storable(parameter));
  }

  /** `in (…)`. */
  protected override visitPrimitiveValueList(node: PrimitiveValueListNode): void {
    const isRow = this.parentNode !== undefined && ValuesNode.is(this.parentNode);
    if (isRow || !node.values.every(isPlain)) {
      super.visitPrimitiveValueList(node);
      return;
    }
    this.append('(select value from json_each(');
    this.appendJson(node.values);
    this.append('))');
  }

  /** The rows of an insert. */
  protected override visitValues(node: ValuesNode): void {
    const rows = node.values.map(plainRow);
    const [first] = rows;
    if (first === undefined || first === null || rows.length === 1 || rows.includes(null)) {
      super.visitValues(node);
      return;
    }
    const columns = first.map((_value, index) => `value ->> ${index}`);
    this.append(`select ${columns.join(', ')} from json_each(`);
    this.appendJson(rows);
    // Without a condition SQLite takes `on conflict` for that of a join.
    this.append(') where true');
  }

  private appendJson(values: unknown): void {
    this.appendValue(JSON.stringify(values, (_key, value: unknown) => storable(value)));
  }
}

/** Null for a row with an expression, or with values that JSON does not have. */
function plainRow(row: ValuesItemNode): readonly Plain[] | null {
  const values = PrimitiveValueListNode.is(row) ? row.values : row.values.map(plainValue);
  return values.every(isPlain) ? values : null;
}

/** Undefined for an expression. */
function plainValue(node: Parameters<typeof ValueNode.is>[0]): unknown {
  // SQLite has no `default` among values: Kysely writes null.
  if (DefaultInsertValueNode.is(node)) return null;
  return ValueNode.is(node) && node.immediate !== true ? node.value : undefined;
}

function isPlain(value: unknown): value is Plain {
  return value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}
