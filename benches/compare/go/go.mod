module hchan-compare

go 1.19
