/* A library to be mapped by test-exposure; what counts is its build-id. */
int exposed(void);

int exposed(void)
{
        return 1;
}
