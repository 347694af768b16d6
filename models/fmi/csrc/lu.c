/* LU factors of I / (gamma h) - J with a pattern, an ordering and a fill-in that are fixed at generation time.
 *
 * Rows and columns are permuted alike (minimum degree), pivots stay on the diagonal. Row i of the factors occupies
 * lu_row[i] .. lu_row[i + 1]: first the strictly lower part, at lu_diagonal[i] the pivot, then the upper part. */
#include <math.h>
#include <string.h>

#include "instance.h"

int lu_factor(Workspace *w, double inverse_gamma_h)
{
    double *lu = w->lu;
    const unsigned short *target = lu_target;

    memset(lu, 0, sizeof w->lu);
    for (int k = 0; k < NJ; k++) {
        lu[lu_from_jacobian[k]] = -w->jac[k];
    }
    for (int i = 0; i < NX; i++) {
        lu[lu_diagonal[i]] += inverse_gamma_h;
    }
    for (int i = 0; i < NX; i++) {
        double largest = 0.0;
        for (int a = lu_row[i]; a < lu_row[i + 1]; a++) {
            largest = fmax(largest, fabs(lu[a]));
        }
        for (int a = lu_row[i]; a < lu_diagonal[i]; a++) {
            int k = lu_column[a];
            double factor = lu[a] * w->inverse_diagonal[k];
            lu[a] = factor;
            for (int b = lu_diagonal[k] + 1; b < lu_row[k + 1]; b++) {
                lu[*target++] -= factor * lu[b];
            }
        }
        double pivot = lu[lu_diagonal[i]];
        if (!(fabs(pivot) > 1e-12 * largest) || !isfinite(pivot)) {
            return 0;
        }
        w->inverse_diagonal[i] = 1.0 / pivot;
    }
    return 1;
}

void lu_solve(Workspace *w, double *b)
{
    const double *lu = w->lu;
    double *z = w->z;

    for (int i = 0; i < NX; i++) {
        double sum = b[lu_order[i]];
        for (int a = lu_row[i]; a < lu_diagonal[i]; a++) {
            sum -= lu[a] * z[lu_column[a]];
        }
        z[i] = sum;
    }
    for (int i = NX - 1; i >= 0; i--) {
        double sum = z[i];
        for (int a = lu_diagonal[i] + 1; a < lu_row[i + 1]; a++) {
            sum -= lu[a] * z[lu_column[a]];
        }
        z[i] = sum * w->inverse_diagonal[i];
        b[lu_order[i]] = z[i];
    }
}
