# growth.gp - draws the points of the growth benchmark; points: file of series, what, size, value, unit (tab separated).
set terminal svg size 1600,480 font 'sans,11'
set datafile separator tab
set logscale xy
set key below horizontal
set grid
set multiplot layout 1,4
set ylabel 'CPU ms'
costs = "'reading' 'history' 'clv_histories' 'fit bg/nbd' 'fit pareto/nbd' 'predict bg/nbd'"
do for [series in 'customers orders purchases years'] {
	set title 'growing '.series
	plot for [what in costs] points \
		using (strcol(1) eq series && strcol(2) eq what ? $3 : NaN):4 with linespoints title what noenhanced
}
unset multiplot
