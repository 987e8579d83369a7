#include "base/base.h"

#define NAME_MOST 64u

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment over three rows. */
unsigned name_distance(const char *a, const char *b, unsigned most)
{
    size_t m = strlen(a), n = strlen(b);
    if (m > NAME_MOST || n > NAME_MOST || (m > n ? m - n : n - m) > most)
        return most + 1;
    unsigned rows[3][NAME_MOST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= n; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned cost = a[i - 1] != b[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[n] <= most ? above[n] : most + 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers without their leading zeros: the longer is the greater, then the first digit that
 * differs decides. Both ends are moved behind the number. */
static int number_order(const char **a, const char **b)
{
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    int first = 0, longer = 0;
    for (; is_digit(**a) || is_digit(**b); *a += is_digit(**a), *b += is_digit(**b)) {
        if (is_digit(**a) != is_digit(**b))
            longer = is_digit(**a) ? 1 : -1;
        else if (first == 0)
            first = **a - **b;
    }
    return longer ? longer : first;
}

int name_order(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x || *y) {
        if (is_digit(*x) && is_digit(*y)) {
            int order = number_order(&x, &y);
            if (order)
                return order;
            continue;
        }
        if (*x != *y)
            return (unsigned char)*x - (unsigned char)*y;
        x++;
        y++;
    }
    return strcmp(a, b);
}
