# read_views.py - what a tool over ODBC sees of schemas of views: their relations and columns by the driver's
# metadata, and every value of every row. Prints the lines that ReadViews.java prints.
#
#     python3 read_views.py CONNECTION_STRING SCHEMA ...

import datetime
import decimal
import math
import sys

import pyodbc

NAMES = {getattr(pyodbc, name): name[4:] for name in (
    'SQL_SMALLINT', 'SQL_INTEGER', 'SQL_BIGINT', 'SQL_REAL', 'SQL_FLOAT', 'SQL_DOUBLE', 'SQL_NUMERIC', 'SQL_DECIMAL',
    'SQL_BIT', 'SQL_CHAR', 'SQL_VARCHAR', 'SQL_LONGVARCHAR', 'SQL_WCHAR', 'SQL_WVARCHAR', 'SQL_WLONGVARCHAR',
    'SQL_TYPE_DATE', 'SQL_TYPE_TIMESTAMP', 'SQL_GUID')}


def say(*fields):
    print(*('' if field is None else field for field in fields), sep='\t')


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literally(name):
    """Metadata take patterns."""
    return name.replace('\\', '\\\\').replace('_', '\\_').replace('%', '\\%')


def look(value):
    """What is wrong with a value, or None."""
    if isinstance(value, float):
        return None if math.isfinite(value) else 'not finite'
    if isinstance(value, decimal.Decimal):
        return None if value.is_finite() else 'not finite'
    if isinstance(value, datetime.date):
        return None if 2000 <= value.year <= 2200 else 'an infinite time, as it seems'
    return None if value is None or isinstance(value, (bool, int, str)) else 'of an unknown type'


def read(connection, schema, view):
    rows = 0
    cursor = connection.cursor()
    cursor.execute('SELECT * FROM %s.%s' % (quoted(schema), quoted(view)))
    for row in cursor:
        rows += 1
        for about, value in zip(cursor.description, row):
            wrong = look(value)
            if wrong:
                say('bad', schema, view, about[0], '%s: %r' % (wrong, value))
    say('rows', schema, view, rows)


def knock_behind(connection, schema):
    """Tries to read the tables in the schema of data; the catalog shows their names to all roles."""
    cursor = connection.cursor()
    cursor.execute("SELECT c.relname FROM pg_catalog.pg_class c "
                   "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                   "WHERE n.nspname = ? AND c.relkind = 'r' ORDER BY 1", schema + '_data')
    for (table,) in cursor.fetchall():
        state = '00000'
        try:
            connection.cursor().execute('SELECT * FROM %s.%s LIMIT 0' % (quoted(schema + '_data'), quoted(table)))
        except pyodbc.Error as error:
            state = error.args[0]
        say('behind', schema, table, state)


def main(target, *schemas):
    sys.stdout.reconfigure(encoding='utf-8')
    connection = pyodbc.connect(target, autocommit=True)
    for schema in schemas:
        views = []
        # psqlodbc 17 finds nothing by a schema whose name is not ASCII, but lists what is in it among all
        for row in [row for row in connection.cursor().tables() if row.table_schem == schema]:
            say('relation', row.table_schem, row.table_name, row.table_type)
            views.append(row.table_name)
        for row in connection.cursor().columns(schema=literally(schema)):
            say('column', row.table_schem, row.table_name, row.column_name, NAMES.get(row.data_type, row.data_type),
                row.column_size, row.decimal_digits, row.remarks)
        for view in views:
            read(connection, schema, view)
        knock_behind(connection, schema)


main(*sys.argv[1:])
