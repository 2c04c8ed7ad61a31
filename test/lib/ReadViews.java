/*
 * ReadViews.java - what a tool over JDBC sees of schemas of views: their relations and columns by the driver's
 * metadata, and every value of every row.
 *
 *     java -cp postgresql.jar ReadViews.java URL SCHEMA ...
 *
 * Prints lines of fields separated by tabs, as read_views.py does:
 *     relation SCHEMA NAME KIND          column SCHEMA VIEW NAME TYPE SIZE SCALE COMMENT
 *     rows SCHEMA VIEW NUMBER            bad SCHEMA VIEW COLUMN WHY
 *     behind SCHEMA TABLE SQLSTATE
 */
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

public class ReadViews
{
	static final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

	static void say(Object... fields)
	{
		StringBuilder line = new StringBuilder();

		for (Object field : fields)
			line.append(line.length() > 0 ? "\t" : "").append(field == null ? "" : field);
		out.println(line);
	}

	static String quoted(String name)
	{
		return '"' + name.replace("\"", "\"\"") + '"';
	}

	/* Metadata take patterns. */
	static String literally(String name, DatabaseMetaData about) throws SQLException
	{
		return name.replaceAll("[_%]", java.util.regex.Matcher.quoteReplacement(about.getSearchStringEscape()) + "$0");
	}

	/* Reads one value in each way that its type promises; what is wrong with it, or null. */
	static String look(ResultSet row, int i, int type) throws SQLException
	{
		Object value = row.getObject(i);

		if (value == null)
			return row.wasNull() ? null : "neither NULL nor a value";
		switch (type)
		{
			case Types.DOUBLE:
				if (!Double.isFinite(row.getDouble(i)))
					return "not finite: " + value;
				/* falls through: what is finite is a decimal as well */
			case Types.NUMERIC: case Types.BIGINT: case Types.INTEGER: case Types.SMALLINT:
				BigDecimal number = row.getBigDecimal(i);
				return type == Types.NUMERIC && number.scale() != 2 ? "not with two decimals: " + value : null;
			case Types.DATE:
				return plausible(row.getObject(i, LocalDate.class).getYear(), value);
			case Types.TIMESTAMP:
				return plausible(row.getObject(i, OffsetDateTime.class).getYear(), value);
			case Types.BIT: case Types.BOOLEAN:
				row.getBoolean(i);
				return null;
			default:
				return row.getString(i) == null ? "no text: " + value : null;
		}
	}

	static String plausible(int year, Object value)
	{
		return year < 2000 || year > 2200 ? "an infinite time, as it seems: " + value : null;
	}

	static void read(Connection connection, String schema, String view) throws SQLException
	{
		long rows = 0;

		try (Statement statement = connection.createStatement();
			 ResultSet row = statement.executeQuery("SELECT * FROM " + quoted(schema) + "." + quoted(view)))
		{
			ResultSetMetaData about = row.getMetaData();

			for (; row.next(); rows++)
				for (int i = 1; i <= about.getColumnCount(); i++)
				{
					String wrong;

					try
					{
						wrong = look(row, i, about.getColumnType(i));
					}
					catch (SQLException e)
					{
						wrong = e.getMessage();
					}
					if (wrong != null)
						say("bad", schema, view, about.getColumnName(i), wrong);
				}
		}
		say("rows", schema, view, rows);
	}

	/* Tries to read the tables in the schema of data; the catalog shows their names to all roles. */
	static void knockBehind(Connection connection, String schema) throws SQLException
	{
		List<String> tables = new ArrayList<>();

		try (PreparedStatement names = connection.prepareStatement("SELECT c.relname FROM pg_catalog.pg_class c "
			+ "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
			+ "WHERE n.nspname = ? AND c.relkind = 'r' ORDER BY 1"))
		{
			names.setString(1, schema + "_data");
			try (ResultSet row = names.executeQuery())
			{
				while (row.next())
					tables.add(row.getString(1));
			}
		}
		for (String table : tables)
			try (Statement statement = connection.createStatement())
			{
				statement.executeQuery("SELECT * FROM " + quoted(schema + "_data") + "." + quoted(table) + " LIMIT 0");
				say("behind", schema, table, "00000");
			}
			catch (SQLException e)
			{
				say("behind", schema, table, e.getSQLState());
			}
	}

	public static void main(String[] arguments) throws SQLException
	{
		try (Connection connection = DriverManager.getConnection(arguments[0]))
		{
			DatabaseMetaData about = connection.getMetaData();

			for (int a = 1; a < arguments.length; a++)
			{
				String schema = arguments[a];
				List<String> views = new ArrayList<>();

				try (ResultSet row = about.getTables(null, literally(schema, about), null, null))
				{
					while (row.next())
					{
						say("relation", row.getString("TABLE_SCHEM"), row.getString("TABLE_NAME"),
							row.getString("TABLE_TYPE"));
						views.add(row.getString("TABLE_NAME"));
					}
				}
				try (ResultSet row = about.getColumns(null, literally(schema, about), null, null))
				{
					while (row.next())
						say("column", row.getString("TABLE_SCHEM"), row.getString("TABLE_NAME"),
							row.getString("COLUMN_NAME"), JDBCType.valueOf(row.getInt("DATA_TYPE")),
							row.getString("COLUMN_SIZE"), row.getString("DECIMAL_DIGITS"), row.getString("REMARKS"));
				}
				for (String view : views)
					read(connection, schema, view);
				knockBehind(connection, schema);
			}
		}
		out.flush();
	}
}
