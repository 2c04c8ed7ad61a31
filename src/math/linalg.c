/*
 * linalg.c
 *		Small dense symmetric systems.
 */
#include "math/linalg.h"

#include <float.h>
#include <math.h>

/*
 * A pivot of the scaled matrix is 1 - R^2 of its unknown on those before it. Below this the
 * matrix is singular within rounding errors.
 */
#define SMALLEST_PIVOT 1e-13

bool
clv_cholesky(int n, const double *matrix, ClvCholesky *chol)
{
	double *factor = chol->factor;

	chol->n = n;
	for (int i = 0; i < n; i++)
	{
		double diagonal = matrix[CLV_AT(i, i)];

		if (!(diagonal > 0) || !isfinite(diagonal))
			return false;
		chol->scale[i] = 1 / sqrt(diagonal);
	}
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double rest = matrix[CLV_AT(i, j)] * chol->scale[i] * chol->scale[j];

			for (int k = 0; k < j; k++)
				rest -= factor[CLV_AT(i, k)] * factor[CLV_AT(j, k)];
			if (i != j)
				factor[CLV_AT(i, j)] = rest / factor[CLV_AT(j, j)];
			else if (rest > SMALLEST_PIVOT)
				factor[CLV_AT(i, i)] = sqrt(rest);
			else
				return false;
		}
	}
	return true;
}

void
clv_cholesky_solve(const ClvCholesky *chol, const double *b, double *x)
{
	const double *factor = chol->factor;
	int n = chol->n;

	for (int i = 0; i < n; i++)
	{
		x[i] = b[i] * chol->scale[i];
		for (int k = 0; k < i; k++)
			x[i] -= factor[CLV_AT(i, k)] * x[k];
		x[i] /= factor[CLV_AT(i, i)];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			x[i] -= factor[CLV_AT(k, i)] * x[k];
		x[i] /= factor[CLV_AT(i, i)];
	}
	for (int i = 0; i < n; i++)
		x[i] *= chol->scale[i];
}

void
clv_cholesky_inverse(const ClvCholesky *chol, double *inverse)
{
	for (int col = 0; col < chol->n; col++)
	{
		double column[CLV_LINALG_MAX] = {0};

		column[col] = 1;
		clv_cholesky_solve(chol, column, column);
		for (int row = col; row < chol->n; row++)
			inverse[CLV_AT(row, col)] = column[row];
	}
}

/* ---- eigenvalues: Jacobi's method, exact enough and short for a handful of unknowns ---- */

/* A square matrix, with room for the largest number of unknowns. */
typedef double Square[CLV_LINALG_MAX][CLV_LINALG_MAX];

/* The sum of squares of the elements below the diagonal. */
static double
OffDiagonal(int n, Square a)
{
	double total = 0;

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			total += a[i][j] * a[i][j];
	}
	return total;
}

/* Rotates the plane (p, q) so that a[p][q] vanishes; the rows of v rotate with it. */
static void
Rotate(int n, Square a, Square v, int p, int q)
{
	double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
	double t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1));
	double c = 1 / hypot(t, 1);
	double s = t * c;

	for (int k = 0; k < n; k++)
	{
		double kp = a[k][p];
		double kq = a[k][q];

		a[k][p] = c * kp - s * kq;
		a[k][q] = s * kp + c * kq;
	}
	for (int k = 0; k < n; k++)
	{
		double pk = a[p][k];
		double qk = a[q][k];
		double vp = v[p][k];
		double vq = v[q][k];

		a[p][k] = c * pk - s * qk;
		a[q][k] = s * pk + c * qk;
		v[p][k] = c * vp - s * vq;
		v[q][k] = s * vp + c * vq;
	}
	a[p][q] = a[q][p] = 0;
}

/* Sorts eigenvalues and eigenvectors into the arrays of the caller, smallest first. */
static void
Arrange(int n, Square a, Square v, double *values, double *vectors)
{
	bool taken[CLV_LINALG_MAX] = {false};

	for (int k = 0; k < n; k++)
	{
		int least = -1;

		for (int i = 0; i < n; i++)
		{
			if (!taken[i] && (least < 0 || a[i][i] < a[least][least]))
				least = i;
		}
		taken[least] = true;
		values[k] = a[least][least];
		for (int i = 0; i < n; i++)
			vectors[k * n + i] = v[least][i];
	}
}

bool
clv_eigen(int n, const double *matrix, double *values, double *vectors)
{
	Square a;
	Square v = {{0}};
	double size = 0;

	for (int i = 0; i < n; i++)
	{
		v[i][i] = 1;
		for (int j = 0; j <= i; j++)
		{
			a[i][j] = a[j][i] = matrix[CLV_AT(i, j)];
			size = fmax(size, fabs(a[i][j]));
			if (!isfinite(a[i][j]))
				return false;
		}
	}
	for (int sweep = 0; sweep < 60 && sqrt(OffDiagonal(n, a)) > DBL_EPSILON * 0.01 * size; sweep++)
	{
		for (int p = 0; p < n; p++)
		{
			for (int q = p + 1; q < n; q++)
			{
				if (a[p][q] != 0)
					Rotate(n, a, v, p, q);
			}
		}
	}
	Arrange(n, a, v, values, vectors);
	return true;
}
