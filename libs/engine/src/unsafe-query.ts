/**
 * The child's own look at the SQL that it is to run. The SQL is generated from a small form and never a party's text, so
 * nothing here should ever be met; it is a second lock on the same door, not the policy.
 */

/** Scalar functions with state, clocks, randomness, text as SQL, errors, or output far larger than their input. */
const refusedFunctions = new Set(
  (
    'nextval currval random setseed sleep_ms pg_sleep stats error uuid uuidv4 uuidv7 gen_random_uuid write_log current_query ' +
    'current_query_id current_transaction_id current_connection_id current_setting getvariable getenv ' +
    'query query_table json_execute_serialized_sql json_deserialize_sql json_serialize_sql json_serialize_plan ' +
    'repeat lpad rpad range generate_series read_text read_blob read_csv read_csv_auto read_json ' +
    'read_parquet parquet_scan glob sniff_csv now current_timestamp current_date today get_current_time ' +
    'get_current_timestamp current_user session_user user current_database current_schema current_schemas version ' +
    'txid_current pg_typeof list_aggregate list_aggr array_aggregate array_aggr aggregate ' +
    'set_config printf format read_duckdb'
  ).split(' '),
)

/** Kinds of node that generated SQL has no use for. */
const refusedTypes = new Set([
  'TABLE_FUNCTION',
  'SHOW_REF',
  'RECURSIVE_CTE_NODE',
  'PIVOT',
  'DELIM_GET',
  'COLUMN_DATA',
  'LAMBDA',
])

/**
 * Whether a syntax tree, as `json_serialize_sql` gives it, is one SELECT over these tables without anything that is refused.
 * Walks every object, whatever its place, so that nothing hides in a part of the tree that was not thought of.
 */
export function isSafeTree(tree: unknown, tables: readonly string[]): boolean {
  if (!isRecord(tree) || tree['error'] !== false) return false
  const statements = tree['statements']
  if (!Array.isArray(statements) || statements.length !== 1) return false
  const nodes = allRecords(tree)
  const known = new Set([...tables, ...nodes.flatMap(withNames)].map((name) => name.toLowerCase()))
  return !nodes.some((node) => isRefused(node, known))
}

function allRecords(tree: object): Fields[] {
  const found: Fields[] = []
  const open: object[] = [tree]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isRecord(node)) found.push(node)
    open.push(...(Object.values(node) as unknown[]).filter(isObject))
  }
  return found
}

/** The names that a WITH gives, which may stand where a table stands. */
function withNames(node: Fields): string[] {
  const map = node['cte_map']
  const entries = isRecord(map) && Array.isArray(map['map']) ? (map['map'] as unknown[]) : []
  return entries.flatMap((entry) =>
    isRecord(entry) && typeof entry['key'] === 'string' ? [entry['key']] : [],
  )
}

function isRefused(node: Fields, known: ReadonlySet<string>): boolean {
  const { type, function_name: name } = node
  return (
    (typeof type === 'string' && refusedTypes.has(type)) ||
    (typeof name === 'string' && refusedFunctions.has(name.toLowerCase())) ||
    (type === 'BASE_TABLE' && !isKnownTable(node, known))
  )
}

// Catalogues and schemas hold the database's own tables, and a name may be a file's.
function isKnownTable(
  { table_name: name, schema_name: schema, catalog_name: catalog }: Fields,
  known: ReadonlySet<string>,
): boolean {
  return (
    schema === undefined && catalog === undefined && typeof name === 'string' && known.has(name.toLowerCase())
  )
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
