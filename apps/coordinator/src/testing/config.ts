/** A PostgreSQL for tests, empty or of the tests' own log; without it they say what was not run. */
export const testDatabaseUrl = process.env['SEALROOM_TEST_DATABASE_URL']
