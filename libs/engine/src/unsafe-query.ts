/**
 * The child's own look at the SQL that it is to run. The SQL is generated from a small form and never a party's text, so
 * nothing here should ever be met; it is a second lock on the same door, not the policy.
 */

/** Scalar functions with state, clocks, randomness, text as SQL, errors, or output far larger than their input. */
const refusedFunctions = new Set(
  (
    'nextval currval random setseed sleep_ms pg_sleep stats error uuid uuidv4 uuidv7 gen_random_uuid write_log current_query ' +
    'current_query_id current_transaction_id current_connection_id current_setting getvariable getenv get_bit_file ' +
    'query query_table json_execute_serialized_sql json_deserialize_sql json_serialize_sql json_serialize_plan ' +
    'repeat lpad rpad range generate_series repeat_row bar read_text read_blob read_csv read_csv_auto read_json ' +
    'read_parquet parquet_scan glob sniff_csv now current_timestamp current_date today get_current_time ' +
    'get_current_timestamp current_user session_user user current_database current_schema current_schemas version ' +
    'txid_current in_search_path pg_typeof list_aggregate list_aggr array_aggregate array_aggr aggregate ' +
    'set_config pg_get_viewdef to_binary printf format write_file read_duckdb'
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
 * Whether a syntax tree, as `json_serialize_sql` gives it, is one SELECT without anything that is refused.
 * Walks every object, whatever its place, so that nothing hides in a part of the tree that was not thought of.
 */
export function isSafeTree(tree: unknown): boolean {
  if (!isRecord(tree) || tree['error'] !== false) return false
  const statements = tree['statements']
  if (!Array.isArray(statements) || statements.length !== 1) return false
  const open: unknown[] = [tree]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) open.push(...(node as unknown[]).filter(isObject))
    else if (isRecord(node)) {
      if (isRefused(node)) return false
      open.push(...Object.values(node).filter(isObject))
    }
  }
  return true
}

function isRefused(node: Readonly<Record<string, unknown>>): boolean {
  const type = node['type']
  const name = node['function_name']
  return (
    (typeof type === 'string' && refusedTypes.has(type)) ||
    (typeof name === 'string' && refusedFunctions.has(name.toLowerCase()))
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
